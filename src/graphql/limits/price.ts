/** What a field costs besides being a field, declared where the field is declared. */
import {
  type GraphQLField,
  type GraphQLNamedType,
  getNamedType,
  isEnumType,
  isLeafType,
} from 'graphql';

export interface Price {
  /** Bytes of the longest value that it can have, as JSON. */
  readonly bytes?: number;
  /** Its text can be so many bytes long but mostly is not: what it is counts when it is answered (`GatewayPlugin`). */
  readonly counted?: number;
  /** Rows that are read for it, besides those of a page. */
  readonly rows?: number;
}

/** A field's option: its value takes up to so many bytes as JSON. */
export const upTo = (bytes: number) => priced({ bytes });
/** A field's option: its value can be long, and counts as it is. @param longest bytes; more than most come to */
export const countedText = (longest = 4 * 1024) => priced({ bytes: 0, counted: longest });
/** A field's option: a row is read for it. */
export const readsRow = () => priced({ rows: 1 });

/** A field's option: an image may have to be fetched and unpacked for it, which takes as long as reading so many rows. */
export const readsImage = () => priced({ rows: 100 });

const priced = (price: Price) => ({ extensions: { price } });

/** Of one line of text with so many characters, none of which takes more than three bytes. */
export const ofCharacters = (count: number): number => 3 * count;

export const priceOf = ({ extensions }: GraphQLField<unknown, unknown>): Price => {
  // What `priced` has put there.
  const price = extensions.price as Price | undefined;
  return price ?? {};
};

/** What a value of a type takes where its field does not say; of a text that nobody has priced, more than most pay. */
export function bytesOf(field: GraphQLField<unknown, unknown>): number {
  const { bytes } = priceOf(field);
  const type = getNamedType(field.type);
  return bytes ?? (isLeafType(type) ? bytesOfType(type) : 0);
}

const BYTES: Readonly<Record<string, number>> = {
  Boolean: 5,
  DateTime: 26,
  Float: 24,
  ID: 64,
  Int: 11,
  Long: 16,
};
const UNPRICED = 64 * 1024;

function bytesOfType(type: GraphQLNamedType): number {
  if (isEnumType(type)) return Math.max(...type.getValues().map(({ name }) => name.length)) + 2;
  return BYTES[type.name] ?? UNPRICED;
}
