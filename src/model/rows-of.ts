/**
 * What statements of our own read of an entity: the select list, the same as one array, and how either becomes a plain
 * object with the entity's types. Reading so takes a fifth of the time that `em.find` takes.
 *
 * The statements bind their values. The ORM writes them into the text, so that PostgreSQL plans for the values at hand,
 * and for an org that holds most of a table walks through all orgs' rows (test/scale/query-plans.test.ts).
 *
 * Columns are cheaper for lists; the array is cheaper for a single row, and the only way to have rows within a row. Its
 * elements are texts: `json_build_array` looks up how each of its values is written every time, and takes half as long again.
 */
import {
  ArrayType,
  BigIntType,
  DateTimeType,
  type EntityClass,
  EntitySchema,
  IntegerType,
  StringType,
  TextType,
  UnderscoreNamingStrategy,
} from '@mikro-orm/core';
import { IdColumn } from './ids.ts';

export interface Rows<Row> {
  /** The columns of the table, named as the entity names them. */
  readonly columns: string;
  /** An expression: the same as one array of texts. */
  readonly texts: string;
  /** An expression: that as JSON. */
  readonly json: string;
  /** Turns a record that `columns` selected into the row; other columns of the record stay with it. */
  ofRecord(record: object): Row;
  /** Makes a row of what `json` made. */
  ofArray(array: readonly unknown[]): Row;
}

interface SelectedRows<Row> extends Rows<Row> {
  /** What else the statement selects the caller says, as of every statement. */
  ofRecord<Other extends object>(record: Other): Row & Other;
}

/** @param alias what statements call the table */
export function rowsOf<Entity extends object, Field extends keyof Entity & string>(
  entity: EntityClass<Entity>,
  alias: string,
  fields: readonly Field[],
): SelectedRows<Readonly<Pick<Entity, Field>>> {
  const columns = fields.map((field, at) => ({ ...columnOf(entity, field), at }));
  const decoded = columns.filter(({ decode }) => decode !== asItIs);
  const texts = `array[${columns.map(({ name, text }) => text(`${alias}.${name}`)).join(', ')}]`;
  // Its fields and their types are those of the columns: what the compiler cannot follow through the loops.
  const typed = <Row>(row: Row) => row as Row & Readonly<Pick<Entity, Field>>;
  return {
    columns: columns.map(({ name, field }) => `${alias}.${name} as "${field}"`).join(', '),
    texts,
    json: `array_to_json(${texts})`,
    ofRecord(record) {
      const row = record as Record<string, unknown>;
      for (const { field, decode } of decoded) row[field] = decode(row[field]);
      return typed(record);
    },
    ofArray(array) {
      const row: Record<string, unknown> = {};
      for (const { at, field, decodeText } of columns) {
        const text = array[at];
        row[field] = text === null ? null : decodeText(text);
      }
      return typed(row);
    },
  };
}

/**
 * Rows of the id and of no more columns than fields of the schema take; made once for each set of columns.
 * @param columnsOf what each field takes, the id among them
 * @param make makes rows of columns
 */
export function rowsOfAsked<Field extends string, Row>(
  columnsOf: ReadonlyMap<string, readonly Field[]>,
  make: (columns: readonly Field[]) => Rows<Row>,
): (fields: ReadonlySet<string>) => Rows<Row> {
  const made = new Map<string, Rows<Row>>();
  return (fields) => {
    const asked = new Set(['id', ...fields].flatMap((field) => columnsOf.get(field) ?? []));
    // In one order, however they were asked for, so that PostgreSQL sees one statement.
    const columns = [...asked].sort();
    const key = columns.join();
    const rows = made.get(key) ?? make(columns);
    made.set(key, rows);
    return rows;
  };
}

/** Turns the value of one column, read by itself, into that of the entity's field. */
export const decoderOf = <Entity extends object, Field extends keyof Entity & string>(
  entity: EntityClass<Entity>,
  field: Field,
): ((value: unknown) => Entity[Field]) =>
  // As with `typed` above.
  columnOf(entity, field).decode as (value: unknown) => Entity[Field];

/** The names of an entity's fields, in the order in which it declares them. */
export const fieldsOf = <Entity extends object>(
  entity: EntityClass<Entity>,
): readonly (keyof Entity & string)[] =>
  Object.keys(propertiesOf(entity)) as (keyof Entity & string)[];

interface Column {
  readonly field: string;
  readonly name: string;
  /** Of the driver's value. */
  readonly decode: (value: unknown) => unknown;
  /** The column as a text. */
  readonly text: (column: string) => string;
  /** Of that text. */
  readonly decodeText: (text: unknown) => unknown;
}

const naming = new UnderscoreNamingStrategy();

function columnOf(entity: EntityClass<object>, field: string): Column {
  const property = propertiesOf(entity)[field];
  if (property === undefined) throw new Error(`${entity.name} has no field ${field}`);
  if (property.kind !== 'm:1') {
    return {
      field,
      name: naming.propertyToColumnName(field),
      decode: decoderOfType(property.type),
      ...textOfType(property.type),
    };
  }
  const name = naming.joinKeyColumnName(field, 'id');
  return { ...columnOf(property.entity(), 'id'), field, name };
}

/** An entity's properties as it declares them: they are needed before there is an ORM that has read them. */
function propertiesOf(entity: EntityClass<object>): Record<string, Declared> {
  const schema = EntitySchema.REGISTRY.get(entity);
  if (schema === undefined) throw new Error(`${entity.name} is no entity`);
  return schema.meta.properties as unknown as Record<string, Declared>;
}

type Declared =
  | { readonly kind?: undefined; readonly type: unknown }
  | { readonly kind: 'm:1'; readonly entity: () => EntityClass<object> };

const asItIs = (value: unknown): unknown => value;
const asDate = (text: unknown): unknown => (text === null ? null : new Date(String(text)));

function decoderOfType(type: unknown): Column['decode'] {
  if (type instanceof IdColumn) return (uuid) => (uuid === null ? null : type.ids.of(String(uuid)));
  if (type === DateTimeType) return asDate;
  // A driver's text, as a number of 64 bits comes.
  if (type instanceof BigIntType) return Number;
  return asItIs;
}

function textOfType(type: unknown): Pick<Column, 'text' | 'decodeText'> {
  if (type instanceof ArrayType) {
    return {
      text: (column) => `array_to_json(${column})::text`,
      decodeText: (text) => JSON.parse(String(text)),
    };
  }
  const text = (column: string) => `${column}::text`;
  if (type === IntegerType) return { text, decodeText: Number };
  const decode = decoderOfType(type);
  // An enum has no type of its own.
  const isText = type === undefined || type === TextType || type === StringType;
  return { text, decodeText: isText || decode !== asItIs ? decode : hasNoText };
}

const hasNoText = () => {
  throw new Error('a column of this type is not read as a text');
};
