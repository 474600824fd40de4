/** The limit: node:http, named prepared statements and JSON.stringify; no GraphQL, no limits, no logs, no metrics. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { authenticate, type Caller } from './caller.ts';
import { openPool, port } from './pool.ts';
import { findPack, listPacks, type RoleAnswer, rolesOfPacks, uuidOf } from './read-packs.ts';

const pool = openPool();

createServer((request, response) => {
  answer(request).then(
    ([status, body]) => {
      const text = JSON.stringify(body);
      response.writeHead(status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
      });
      response.end(text);
    },
    () => response.writeHead(500).end(),
  );
}).listen(port, '127.0.0.1');

async function answer({ method, url = '', headers }: IncomingMessage): Promise<[number, unknown]> {
  const caller = await authenticate(pool, headers.authorization);
  if (caller === null) return [401, { code: 'UNAUTHENTICATED' }];
  if (method === 'DELETE') {
    return caller.mayWrite ? deletePack(caller, url.slice('/packs/'.length)) : [403, null];
  }
  if (url !== '/packs') return [200, await findPack(pool, caller, url.slice('/packs/'.length))];
  const packs = await listPacks(pool, caller, 50);
  const ids = packs.map(({ id }) => id);
  const roles = await rolesOfPacks(pool, caller, ids, 10);
  return [200, packs.map((pack, index) => ({ ...pack, roles: roles[index] }))];
}

async function deletePack(caller: Caller, id: string): Promise<[number, unknown]> {
  const { rows } = await pool.query<{
    name: string;
    deleted: boolean;
    roles: RoleAnswer[] | null;
  }>({
    name: 'delete-pack',
    // One statement: check, delete (which locks), record, and the roles for the refusal. The foreign key
    // refuses where a role takes the pack at the same moment.
    text: `
      with target as materialized (
        select id, name from packs
        where id = $1 and org_id = $2 and image_origin <> 'UPLOAD'
      ), blockers as materialized (
        select 'role_' || r.id as id, r.name, r.display_name as "displayName"
        from role_packs a join agent_roles r on r.id = a.role_id
        where a.pack_id = $1 and a.org_id = $2 order by a.role_id desc limit 10
      ), removed as (
        delete from packs d using target t
        where d.id = t.id and d.org_id = $2 and not exists (select from blockers) returning d.name
      ), recorded as (
        insert into audit_events
          (id, org_id, type, actor, subject_id, request_id, details, created_at)
        select uuidv7(), $2, 'PACK_DELETED', $3, $4, $5, jsonb_build_object('name', name), now()
        from removed returning id
      )
      select name, exists (select from recorded) as deleted,
        (select json_agg(b) from blockers b) as roles
      from target`,
    values: [uuidOf(id), caller.orgId, `key_${caller.keyId}`, id, randomUUID()],
  });
  const [row] = rows;
  if (row === undefined) return [404, { code: 'NOT_FOUND' }];
  if (row.deleted) return [200, { deleted: id, name: row.name }];
  return [409, { code: 'PACK_IN_USE', pack: { id, name: row.name }, roles: row.roles }];
}
