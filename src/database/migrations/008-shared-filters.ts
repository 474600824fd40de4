import { Migration } from '@mikro-orm/migrations';

/** What orgs share is filtered by indexes of its own, as an org's own packs are: one reads it whoever shares how much. */
export class Migration008SharedFilters extends Migration {
  override up(): void {
    // Whoever has very many shared packs can make them beforehand, concurrently.
    for (const [name, columns, condition] of [
      ['category', '(category, id) include (org_id)', ''],
      ['origin', '(image_origin, id) include (org_id)', ''],
      ['vouched', '(tier, id) include (org_id)', " and tier <> 'COMMUNITY'"],
      ['unfinished', '(id) include (org_id)', " and status <> 'ACTIVE'"],
      ['name', '(name)', ''],
    ]) {
      this.addSql(
        `create index if not exists packs_shared_${name} on packs ${columns} where visibility = 'COMMUNITY'${condition}`,
      );
    }
  }
}
