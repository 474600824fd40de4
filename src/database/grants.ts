/** What the role of the service must be allowed; the role that migrates owns the tables and may do more. */
import type { Query } from './gathered.ts';
import { SessionRefused } from './session.ts';

/** By table. Nobody needs to change or remove an audit event. */
export const grants: Readonly<Record<string, readonly string[]>> = {
  orgs: ['select', 'insert'],
  packs: ['select', 'insert', 'update', 'delete'],
  agent_roles: ['select', 'insert', 'update'],
  role_packs: ['select', 'insert', 'delete'],
  api_keys: ['select', 'insert', 'update'],
  audit_events: ['select', 'insert'],
  event_listeners: ['select', 'insert', 'update', 'delete'],
  repository_leases: ['select', 'insert', 'update', 'delete'],
  mikro_orm_migrations: ['select'],
};

/** @throws SessionRefused with what to grant */
export async function requireGrants(query: Query): Promise<void> {
  const wanted = Object.entries(grants).flatMap(([table, privileges]) =>
    privileges.map((privilege) => [table, privilege] as const),
  );
  const missing = await query<{ name: string; privilege: string; role: string }>(
    `select w.name, w.privilege, current_user as role
     from unnest($1::text[], $2::text[]) as w (name, privilege)
     where not has_table_privilege(w.name, w.privilege)`,
    [wanted.map(([table]) => table), wanted.map(([, privilege]) => privilege)],
  );
  const [first] = missing;
  if (first === undefined) return;
  const commands = Object.entries(Object.groupBy(missing, ({ name }) => name)).map(
    ([name, some = []]) =>
      `grant ${some.map(({ privilege }) => privilege).join(', ')} on ${name} to "${first.role}"`,
  );
  throw new SessionRefused(`its role may not do all that is needed: ${commands.join('; ')}`);
}
