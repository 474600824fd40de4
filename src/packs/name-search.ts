/**
 * Packs by a part of their name. What many packs have is found soonest by walking a list in its order until the page is
 * full; what hardly any has, by the trigrams of names (`packs_name_search` for an org's own, `packs_shared_name_search`).
 * Which of the two it is shows on the way.
 */
import { LONGEST_SLUG } from '../slug.ts';

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
  if (part.length > LONGEST_SLUG) return { sql: 'false', isIndexed: false };
  if (!/[a-z0-9]{3}/.test(part)) {
    return { sql: `position(${bind(part)} in p.name) > 0`, isIndexed: false };
  }
  const pattern = `%${part.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
  return { sql: `p.name like ${bind(pattern)}`, isIndexed: true };
}

/** What a search goes through: a list that is the union of branches, each in its order on an index of its own. */
export interface SearchedList {
  /** The newest packs of each branch, at most so many. */
  newest(columns: string, limit: string): readonly string[];
  /** The condition of each branch. */
  readonly branches: readonly string[];
}

/**
 * One page of the packs of the list that have the name, in the order of `order`.
 *
 * The bound of the walk is a value and not written out: where PostgreSQL knows the bound, it expects an org to have
 * fewer packs than that, and sorts them all. `offset 0` keeps it from walking the list once more instead of asking the
 * index.
 */
export function searchedPage(
  list: SearchedList,
  name: NameCondition,
  order: string,
  limit: string,
  bind: (value: unknown) => string,
): string {
  const most = bind(WALKED);
  const isEnough = '(select is_enough from walk)';
  const newest = list.newest('p.id, p.name', most).join(' union all ');
  const found = list.branches.map(
    (branch) => `(
      select p.* from (select p.* from packs p where ${branch} and ${name.sql} offset 0) p
      where not ${isEnough} ${order} limit ${limit})`,
  );
  return `(
    with walked as materialized (select p.id, p.name from (${newest}) p ${order} limit ${most}),
      hits as materialized (select p.id from walked p where ${name.sql} ${order} limit ${limit}),
      walk as materialized (select (select count(*) from hits) = ${limit}
        or (select count(*) from walked) < ${most} as is_enough)
    select p.* from packs p where ${isEnough} and p.id = any(array(select id from hits))
    union all ${found.join(' union all ')})`;
}
