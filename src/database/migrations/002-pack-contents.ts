import { Migration } from '@mikro-orm/migrations';

/** Events of replaced archives and files. */
export class Migration002PackContents extends Migration {
  override up(): void {
    this.addSql('alter table audit_events drop constraint audit_events_type_check');
    this.addSql(`
      alter table audit_events add constraint audit_events_type_check check (type in (
        'PACK_UPLOADED', 'PACK_CREATED', 'PACK_IMAGE_REPLACED', 'PACK_ARCHIVE_REPLACED',
        'PACK_FILE_REPLACED', 'PACK_FILE_DELETED', 'PACK_VISIBILITY_CHANGED', 'PACK_CLONED',
        'PACK_ATTACHED', 'PACK_DETACHED', 'PACK_DELETION_STARTED', 'PACK_CLEANUP_FAILED',
        'PACK_DELETED', 'AGENT_ROLE_CREATED', 'AGENT_ROLE_UPDATED', 'AGENT_ROLE_ARCHIVED',
        'AGENT_ROLE_UNARCHIVED', 'API_KEY_CREATED', 'API_KEY_REVOKED'
      ))`);
  }
}
