/** Paging of lists: `limit` and `cursor` in, `next_cursor` out while there is a next page. */
import { z } from '@hono/zod-openapi';
import {
  cursorOf,
  DEFAULT_PAGE_SIZE,
  isCursor,
  MAX_PAGE_SIZE,
  type Page,
  type PageRequest,
  pageRequest,
} from '../page.ts';

const wholeNumber = `must be a whole number, 1 to ${MAX_PAGE_SIZE}`;

export const pageQuery = {
  limit: z
    .string()
    .regex(/^[0-9]{1,4}$/, wholeNumber)
    .transform(Number)
    .refine((size) => size >= 1 && size <= MAX_PAGE_SIZE, wholeNumber)
    .optional()
    .openapi({
      type: 'integer',
      minimum: 1,
      maximum: MAX_PAGE_SIZE,
      default: DEFAULT_PAGE_SIZE,
      description: 'How many items.',
    }),
  cursor: z
    .string()
    .refine(isCursor, 'must be the next_cursor of a page')
    .optional()
    .openapi({ description: '`next_cursor` of the page before.' }),
};

export const nextCursor = {
  next_cursor: z
    .string()
    .optional()
    .openapi({ description: '`cursor` of the next page; absent on the last one.' }),
};

export const pageOf = (query: {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}): PageRequest => pageRequest({ first: query.limit, after: query.cursor });

/** A page of the longest items is as much as one answer may be. */
export const shareOfPage = (limit = DEFAULT_PAGE_SIZE): number => limit / MAX_PAGE_SIZE;

export function nextCursorOf(page: Pick<Page<{ readonly id: string }>, 'items' | 'hasNext'>): {
  next_cursor?: string;
} {
  const last = page.items.at(-1);
  return page.hasNext && last !== undefined ? { next_cursor: cursorOf(last.id) } : {};
}
