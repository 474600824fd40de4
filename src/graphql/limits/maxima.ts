/**
 * How much one request may ask for; every limit is checked before the first resolver runs.
 *
 * README shows this table. A limit is there to end what no client means, so each leaves well-meant queries a wide berth.
 */

import { MAX_PAGE_SIZE } from '../../page.ts';
import { refusal } from '../refusal.ts';

export const maxima = {
  /** Operations in one HTTP request: batches would multiply every other limit. */
  operations: 1,
  /** Tokens of a document: the longest introspection queries have 500. Bounds the work of parser and validator. */
  tokens: 2_000,
  /** Aliases in a document: routers use them to merge what many fields ask for; nobody types this many. */
  aliases: 50,
  /** Directives in a document. */
  directives: 50,
  /** Fields within fields, introspection aside: `deletePack` through two connections and back has 11. */
  depth: 12,
  /** Fields of Query, Mutation or Subscription in one operation. */
  rootFields: 20,
  /** `first` or `last` of one list. */
  pageSize: MAX_PAGE_SIZE,
  /** Entities that a router may ask for at once (`_entities`). */
  representations: 1_000,
  /** Fields of the largest answer that there could be, every list full: about 50 ms of a processor. */
  cost: 50_000,
} as const;

export type Limit = keyof typeof maxima;

const names: Record<Limit, string> = {
  operations: 'operations in one request',
  tokens: 'tokens',
  aliases: 'aliases',
  directives: 'directives',
  depth: 'levels of fields',
  rootFields: 'root fields',
  pageSize: 'items on a page ("first" or "last"; ask for further pages with "after" or "before")',
  representations: 'representations of entities',
  cost: 'fields in its largest possible answer (lower "first", or ask for less of each item)',
};

/**
 * The refusal of a request beyond a limit.
 * @param actual what the request has; of tokens, where counting stopped
 */
export const limitExceeded = (limit: Limit, actual: number) =>
  refusal(
    'graphql_limit_exceeded',
    `A request may have at most ${maxima[limit]} ${names[limit]}; this one has ${limit === 'tokens' ? 'more' : actual}.`,
    { limit, maximum: maxima[limit], actual },
  );
