import { Migration } from '@mikro-orm/migrations';

/** Indexes for packs by a part of their name, and by where their image is from. */
export class Migration004NameSearch extends Migration {
  override up(): void {
    // Whoever has many packs can make both beforehand, concurrently.
    this.addSql('create index if not exists packs_org_origin on packs (org_id, image_origin, id)');
    // Extensions are not everybody's to make, and not on every server. Without them all works as before, only slower:
    // the start says what to do (`src/database/name-search-index.ts`), so no failure of any kind may end a migration.
    this.addSql(`
      do $$
      declare
        place text := case when to_regnamespace('public') is null then quote_ident(current_schema()) else 'public' end;
      begin
        execute 'create extension if not exists pg_trgm with schema ' || place;
        execute 'create extension if not exists btree_gin with schema ' || place;
        select extnamespace::regnamespace::text into place from pg_extension where extname = 'pg_trgm';
        execute 'create index if not exists packs_name_search on packs using gin (org_id, name ' || place || '.gin_trgm_ops)';
      exception when others then
        raise warning 'packs are searched by name without an index: %', sqlerrm;
      end $$`);
  }
}
