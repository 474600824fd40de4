import { Migration } from '@mikro-orm/migrations';
import { auditEventTypes } from '../../model/audit-event.entity.ts';

/** Events of replaced archives and files. */
export class Migration002PackContents extends Migration {
  override up(): void {
    const types = auditEventTypes.map((type) => `'${type}'`).join(', ');
    this.addSql('alter table audit_events drop constraint audit_events_type_check');
    this.addSql(
      `alter table audit_events add constraint audit_events_type_check check (type in (${types}))`,
    );
  }
}
