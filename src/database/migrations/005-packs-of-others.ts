import { Migration } from '@mikro-orm/migrations';

/** The index of what orgs share names the org, so that a list of other orgs' packs steps over one's own within it. */
export class Migration005PacksOfOthers extends Migration {
  override up(): void {
    this.addSql('drop index packs_community_newest');
    this.addSql(
      "create index packs_community_newest on packs (id) include (org_id) where visibility = 'COMMUNITY'",
    );
  }
}
