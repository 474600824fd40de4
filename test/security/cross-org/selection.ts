/** Selection sets made of the schema: everything, down to a depth. */
import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';
import type { Json } from '../../support/gateway.ts';

/** Items on a page within a page; the victim's, being the newest, would be among them. */
const NESTED_PAGE = 2;

/** What fields cannot be asked for without; one that every pack has an answer to. */
const requiredArguments: Readonly<Record<string, string>> = {
  'Pack.file': '(path: "pack.yaml")',
};

/** @param depth levels of objects below this one */
export function selectionOf(schema: GraphQLSchema, type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  const members = isAbstractType(named) ? [...schema.getPossibleTypes(named)] : [named];
  const objects = members.filter(isObjectType);
  const parts = objects.map((member) => {
    const fields = Object.values(member.getFields())
      .filter((field) => depth > 0 || isLeafType(getNamedType(field.type)))
      .map((field) => selected(schema, member, field, objects, depth));
    return `... on ${member.name} { __typename ${fields.join(' ')} }`;
  });
  return ` { ${parts.join(' ')} }`;
}

function selected(
  schema: GraphQLSchema,
  parent: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  beside: readonly GraphQLObjectType[],
  depth: number,
): string {
  const where = `${parent.name}.${field.name}`;
  const required = requiredArguments[where] ?? '';
  if (required === '' && field.args.some(isRequiredArgument)) {
    throw new Error(`${where} has a required argument: fill it in cross-org/selection.ts`);
  }
  const args = field.args.some(({ name }) => name === 'first')
    ? `(first: ${NESTED_PAGE})`
    : required;
  // Members of a union may have fields of one name and different types.
  const clashes = beside.some((other) => {
    const same = other.getFields()[field.name];
    return same !== undefined && String(same.type) !== String(field.type);
  });
  const alias = clashes ? `${parent.name}_${field.name}: ` : '';
  return `${alias}${field.name}${args}${selectionOf(schema, field.type, depth - 1)}`;
}

/** Notes `Type.field` for every field of every object in an answer. */
export function collectFields(value: Json, into: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    const type = value.__typename;
    if (typeof type === 'string') into.add(`${type}.${key.replace(`${type}_`, '')}`);
    collectFields(inner, into);
  }
}
