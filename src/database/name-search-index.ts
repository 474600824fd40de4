import type { Query } from './gathered.ts';

/** What to do where the migrations could not make the indexes for searches by name; null: they are there. */
export async function missingNameSearch(query: Query): Promise<string | null> {
  const [row] = await query<{ present: boolean }>(
    `select to_regclass('packs_name_search') is not null
       and to_regclass('packs_shared_name_search') is not null as present`,
    [],
  );
  return row?.present === false ? WAY_OUT : null;
}

const WAY_OUT =
  'packs are searched by name without an index, which takes long for an org that has very many; let the owner of the ' +
  'database run: create extension if not exists pg_trgm; create extension if not exists btree_gin; ' +
  'create index concurrently if not exists packs_name_search on packs using gin (org_id, name gin_trgm_ops) ' +
  'with (gin_pending_list_limit = 64); ' +
  'create index concurrently if not exists packs_shared_name_search on packs using gin (name gin_trgm_ops) ' +
  "with (gin_pending_list_limit = 64) where visibility = 'COMMUNITY'";
