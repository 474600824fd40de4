/** Keyset pages, newest first: page N costs what page 1 costs, because a cursor is a place in an index. */
import { z } from 'zod';
import { toUuid } from './model/ids.ts';
import { RequestRefused } from './request-refused.ts';

export const DEFAULT_PAGE_SIZE = 50;
export const MAX_PAGE_SIZE = 200;

/** A page as a caller asks for it (the arguments of Relay's connections). */
export interface PageArguments {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/** A page as a statement needs it. */
export interface PageRequest {
  readonly size: number;
  /** `backward` counts from the end: the items before `before`, the nearest ones first. */
  readonly direction: 'forward' | 'backward';
  /** Only items older than this UUID, or id. */
  readonly olderThan: string | null;
  /** Only items newer than this UUID, or id. */
  readonly newerThan: string | null;
}

export const isSamePage = (one: PageRequest, other: PageRequest): boolean =>
  one.size === other.size &&
  one.direction === other.direction &&
  one.olderThan === other.olderThan &&
  one.newerThan === other.newerThan;

export interface Page<Item> {
  /** Newest first, whatever the direction. */
  readonly items: readonly Item[];
  readonly hasNext: boolean;
  readonly hasPrevious: boolean;
}

const uuid = z.uuid();

/** The opaque cursor of an item. */
export const cursorOf = (id: string): string => Buffer.from(toUuid(id)).toString('base64url');

/**
 * @param defaultSize items on a page when the caller does not say
 * @throws RequestRefused
 */
export function pageRequest(args: PageArguments, defaultSize = DEFAULT_PAGE_SIZE): PageRequest {
  const { first, last } = args;
  if (first != null && last != null) {
    throw new RequestRefused('bad_request', 'Give either "first" or "last", not both.');
  }
  const direction = last == null ? 'forward' : 'backward';
  const size = first ?? last ?? defaultSize;
  const name = direction === 'forward' ? 'first' : 'last';
  if (!Number.isInteger(size) || size < 0) {
    throw new RequestRefused('bad_request', `"${name}" must be a whole number, 0 or greater.`);
  }
  if (size > MAX_PAGE_SIZE) {
    throw new RequestRefused(
      'graphql_limit_exceeded',
      `"${name}" may be at most ${MAX_PAGE_SIZE}; ask for further pages with "after" or "before".`,
    );
  }
  return {
    size,
    direction,
    olderThan: position('after', args.after),
    newerThan: position('before', args.before),
  };
}

function position(name: string, cursor: string | null | undefined): string | null {
  if (cursor == null) return null;
  if (isCursor(cursor)) return decoded(cursor);
  throw new RequestRefused(
    'bad_request',
    `"${name}" is not a cursor: use endCursor or startCursor of a page.`,
  );
}

/** Whether a text can be a cursor of ours. */
export const isCursor = (text: string): boolean => uuid.safeParse(decoded(text)).success;

const decoded = (cursor: string): string => Buffer.from(cursor, 'base64url').toString();

/** The conditions that keep a statement to its page; `key` is the column that holds the items' UUIDs. */
export const placeOf = (
  { olderThan, newerThan }: PageRequest,
  key: string,
  bind: (value: unknown) => string,
): string[] => [
  ...(olderThan === null ? [] : [`${key} < ${bind(olderThan)}::uuid`]),
  ...(newerThan === null ? [] : [`${key} > ${bind(newerThan)}::uuid`]),
];

/** What a statement needs to select one item more than the page holds, so that it knows of further ones. */
export const limitOf = ({ size }: PageRequest): number => size + 1;

/** `order by` direction for the key of a page. */
export const orderOf = ({ direction }: PageRequest): 'asc' | 'desc' =>
  direction === 'forward' ? 'desc' : 'asc';

/** Cuts what the statement selected (in its own order, up to `limitOf`) to the page. */
export function toPage<Item>(request: PageRequest, selected: readonly Item[]): Page<Item> {
  const items = selected.slice(0, request.size);
  const hasMore = selected.length > request.size;
  return request.direction === 'forward'
    ? { items, hasNext: hasMore, hasPrevious: request.olderThan !== null }
    : { items: items.reverse(), hasNext: request.newerThan !== null, hasPrevious: hasMore };
}
