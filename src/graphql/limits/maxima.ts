/**
 * How much one request may ask for; every limit is checked before the first resolver runs, and that of bytes again as
 * they come.
 *
 * README shows this table. Each limit is far above what ordinary queries ask for: it stops only what no client means.
 */

import { MAX_PAGE_SIZE } from '../../page.ts';
import { refusal } from '../refusal.ts';

interface LimitRow {
  readonly maximum: number;
  /** What is counted, after a number. */
  readonly of: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Whether counting stops at the maximum, so that nobody knows how many there are. */
  readonly isOpen?: true;
}

const limits = {
  /** Batches would multiply every other limit. */
  operations: {
    maximum: 1,
    of: 'operation, and no list of them',
    remedy: 'Send each by itself, as an object.',
  },
  /** Routers' and generated clients' documents have a few thousand. */
  characters: {
    maximum: 64 * 1024,
    of: 'characters in its document',
    remedy: 'Send long values as variables.',
  },
  /** The longest introspection queries have 500. Bounds the work of parser and validator. */
  tokens: {
    maximum: 2_000,
    of: 'tokens in its document',
    remedy: 'Send values as variables, or ask in several requests.',
    isOpen: true,
  },
  /** Routers use them to merge what many fields ask for; nobody types this many. */
  aliases: { maximum: 50, of: 'aliases', remedy: 'Ask in several requests.' },
  directives: { maximum: 50, of: 'directives', remedy: 'Ask in several requests.' },
  /** Fields within fields, introspection aside: `deletePack` through two connections and back has 11. */
  depth: {
    maximum: 12,
    of: 'levels of fields',
    remedy: 'Ask for what lies deeper by its id, in another request.',
  },
  /** Fields of Query, Mutation or Subscription in one operation. */
  rootFields: { maximum: 20, of: 'root fields', remedy: 'Ask in several requests.' },
  /** `first` or `last` of one list. */
  pageSize: {
    maximum: MAX_PAGE_SIZE,
    of: 'items on a page',
    remedy: 'Lower "first" or "last", and ask for further pages with "after" or "before".',
  },
  /** Entities that a router may ask for at once (`_entities`). */
  representations: {
    maximum: 1_000,
    of: 'representations of entities',
    remedy: 'Ask in several requests.',
  },
  /** Of the largest answer that there could be, every list full: about 50 ms of a processor. */
  cost: {
    maximum: 50_000,
    of: 'fields in its largest possible answer',
    remedy: 'Lower "first", or ask for less of each item.',
  },
  /** Of the database, every page full: a count (`totalCount`) reads none. */
  rows: {
    maximum: 30_000,
    of: 'rows to be read',
    remedy: 'Lower "first", most of all of a list within a list.',
  },
  /** No input has more than ten. */
  inputFields: {
    maximum: 1_000,
    of: 'fields in one object of its variables',
    remedy: 'Send only fields that the schema has.',
  },
  /** Far more than a field takes (4,096), so that each says itself what it does; but each may be used in many places. */
  text: {
    maximum: 128 * 1024,
    of: 'characters in one text of its variables',
    remedy: 'No field takes a longer one; files are sent as multipart.',
  },
  /** A subscription's document and variables are kept as long as its stream. */
  subscription: {
    maximum: 4 * 1024,
    of: 'characters in the document and the variables of a subscription',
    remedy: 'Send it alone in its document, and ask for details in a query.',
    isOpen: true,
  },
  /** As many clients as follow an org are answered at the same moment. */
  event: {
    maximum: 1_000,
    of: 'fields or rows in the largest possible answer to one event',
    remedy: 'Ask for less of each event, and for the rest in a query.',
  },
  /** As JSON. Of what can be long, such as `capabilities`, what is answered counts, and not what could be. */
  bytes: {
    maximum: 8 * 1024 ** 2,
    of: 'bytes in its answer',
    remedy:
      'Lower "first", or ask for long texts (capabilities, description, details) of fewer items.',
    isOpen: true,
  },
} as const satisfies Record<string, LimitRow>;

export type Limit = keyof typeof limits;

/** How much of a thing a request may have. */
export const maximumOf = (limit: Limit): number => limits[limit].maximum;

/**
 * The refusal of a request beyond a limit.
 * @param actual what the request has; where counting stopped, if it is not known
 */
export function limitExceeded(limit: Limit, actual: number) {
  const { maximum, of, remedy, isOpen }: LimitRow = limits[limit];
  const has = isOpen === true ? 'more' : actual;
  return refusal(
    'graphql_limit_exceeded',
    `A request may have at most ${maximum} ${of}; this one has ${has}. ${remedy}`,
    { limit, maximum, actual },
  );
}
