/**
 * Packs by a part of their name. What many packs have is found soonest by walking a list in its order until the page is
 * full; what hardly any has, by the trigrams of names (`packs_name_search`). Which of the two it is shows on the way.
 */

/** Rows of a list that are walked before the index is asked: about what asking it costs. */
const WALKED = 1_000;

/** The condition on the name; and whether the index can help: without three characters in a row there is no trigram. */
export interface NameCondition {
  readonly sql: string;
  readonly isIndexed: boolean;
}

/** @param bind puts a value beside the statement */
export function nameContains(text: string, bind: (value: unknown) => string): NameCondition {
  const part = text.toLowerCase();
  if (!/[a-z0-9]{3}/.test(part)) {
    return { sql: `position(${bind(part)} in p.name) > 0`, isIndexed: false };
  }
  const pattern = `%${part.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  return { sql: `p.name like ${bind(pattern)}`, isIndexed: true };
}

/**
 * One page of the packs that `where` and the name select, in the order of `order`.
 *
 * The bound of the walk is a value and not written out: where PostgreSQL knows the bound, it expects an org to have
 * fewer packs than that, and sorts them all. `offset 0` keeps it from walking the list once more instead of asking the
 * index.
 */
export function searchedPage(
  where: string,
  name: NameCondition,
  order: string,
  limit: string,
  bind: (value: unknown) => string,
): string {
  const walked = bind(WALKED);
  const isFull = `(select count(*) from hits) = ${limit}`;
  const isWhole = `(select count(*) from walked) < ${walked}`;
  return `(
    with walked as materialized (select p.* from packs p where ${where} ${order} limit ${walked}),
      hits as materialized (select p.* from walked p where ${name.sql} ${order} limit ${limit})
    select p.* from hits p where ${isFull} or ${isWhole}
    union all (
      select p.* from (select p.* from packs p where ${where} and ${name.sql} offset 0) p
      where not (${isFull} or ${isWhole}) ${order} limit ${limit}))`;
}
