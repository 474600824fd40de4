import { Migration } from '@mikro-orm/migrations';

/** What orgs share is searched by name in an index of its own, which says nothing of the private packs of others. */
export class Migration007SharedNameSearch extends Migration {
  override up(): void {
    // As in `004-name-search.ts`: can be made beforehand, concurrently, and no failure may end the migration.
    this.addSql(`
      do $$
      declare
        place text := (select extnamespace::regnamespace::text from pg_extension where extname = 'pg_trgm');
      begin
        if place is null then raise exception 'pg_trgm is not there'; end if;
        execute 'create index if not exists packs_shared_name_search on packs using gin (name ' || place ||
          '.gin_trgm_ops) with (gin_pending_list_limit = 64) where visibility = ''COMMUNITY''';
        -- Every search reads the list of what is not yet in the index, and where it is long PostgreSQL takes no index.
        alter index if exists packs_name_search set (gin_pending_list_limit = 64);
      exception when others then
        raise warning 'packs are searched by name without an index: %', sqlerrm;
      end $$`);
  }
}
