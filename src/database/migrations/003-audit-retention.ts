import { Migration } from '@mikro-orm/migrations';

/** Audit events may be pruned by age, by one function that leaves an event of it; nothing else removes any. */
export class Migration003AuditRetention extends Migration {
  override up(): void {
    this.addSql('alter table audit_events drop constraint audit_events_type_check');
    this.addSql(`
      alter table audit_events add constraint audit_events_type_check check (type in (
        'PACK_UPLOADED', 'PACK_CREATED', 'PACK_IMAGE_REPLACED', 'PACK_ARCHIVE_REPLACED',
        'PACK_FILE_REPLACED', 'PACK_FILE_DELETED', 'PACK_VISIBILITY_CHANGED', 'PACK_CLONED',
        'PACK_ATTACHED', 'PACK_DETACHED', 'PACK_DELETION_STARTED', 'PACK_CLEANUP_FAILED',
        'PACK_DELETED', 'AGENT_ROLE_CREATED', 'AGENT_ROLE_UPDATED', 'AGENT_ROLE_ARCHIVED',
        'AGENT_ROLE_UNARCHIVED', 'API_KEY_CREATED', 'API_KEY_REVOKED', 'AUDIT_PRUNED'
      ))`);
    this.addSql(`
      create or replace function audit_events_audit_events_final_fn() returns trigger language plpgsql as
      $$ begin if tg_op = 'DELETE' and current_setting('pack_gateway.pruning', true) = 'on' then return null; end if; raise exception 'audit events are never changed'; end; $$`);
    // The ORM knows no such trigger: `schema.test.ts` holds it.
    this.addSql(`
      create trigger audit_events_kept before truncate on audit_events
      for each statement execute function audit_events_audit_events_final_fn()`);
    // With the rights of the tables' owner: the service itself may remove no event.
    this.addSql(`
      create function prune_audit_events(pruned_org uuid, older_than timestamptz, most int, run text)
      returns int language plpgsql security definer set search_path from current as $$
      declare
        removed int;
        bound uuid := (lpad(to_hex((extract(epoch from older_than) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
      begin
        if older_than > now() - interval '1 day' then
          raise exception 'audit events are kept for a day at least';
        end if;
        perform set_config('pack_gateway.pruning', 'on', true);
        -- The ids are in the order of time (UUIDv7), and an index begins with them.
        delete from audit_events where id = any (array(
          select id from audit_events where org_id = pruned_org and id < bound order by id limit most
        ));
        get diagnostics removed = row_count;
        perform set_config('pack_gateway.pruning', 'off', true);
        if removed > 0 then
          insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
          values (
            (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
              || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid,
            pruned_org, 'AUDIT_PRUNED', 'retention', 'org_' || pruned_org, run,
            jsonb_build_object('removed', removed, 'olderThan', to_char(older_than at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
            clock_timestamp());
        end if;
        return removed;
      end $$`);
  }
}
