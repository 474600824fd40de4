/** The deletion of Apollo and Mercurius, as one writes it: a transaction that locks, checks, deletes and records. */
import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Caller } from './caller.ts';
import { type RoleAnswer, roleColumns, uuidOf } from './read-packs.ts';

/** As many blocking roles as a refusal ever shows. */
const BLOCKERS_SHOWN = 50;

export type Deletion =
  | {
      readonly __typename: 'DeletedPack';
      deletedPackId: string;
      name: string;
      image: 'NOT_MANAGED';
    }
  | { readonly __typename: 'PackInUse'; code: string; pack: PackName; blockers: RoleAnswer[] }
  | { readonly __typename: 'NotFound'; readonly code: string };

interface PackName {
  readonly id: string;
  readonly name: string;
}

export async function deletePack(pool: Pool, caller: Caller, id: string): Promise<Deletion> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const deletion = await lockCheckDelete(client, caller, id);
    await client.query(deletion.__typename === 'DeletedPack' ? 'commit' : 'rollback');
    return deletion;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

async function lockCheckDelete(client: PoolClient, caller: Caller, id: string): Promise<Deletion> {
  const row = [uuidOf(id), caller.orgId];
  const locked = await client.query<{ name: string; image_origin: string }>({
    name: 'lock-pack',
    text: 'select name, image_origin from packs where id = $1 and org_id = $2 for update',
    values: row,
  });
  const [pack] = locked.rows;
  if (pack === undefined) return { __typename: 'NotFound', code: 'NOT_FOUND' };
  const blockers = await client.query<RoleAnswer>({
    name: 'blockers',
    text: `select ${roleColumns} from role_packs a join agent_roles r on r.id = a.role_id
           where a.pack_id = $1 and a.org_id = $2 order by a.role_id desc limit ${BLOCKERS_SHOWN}`,
    values: row,
  });
  if (blockers.rows.length > 0) {
    const { name } = pack;
    return {
      __typename: 'PackInUse',
      code: 'PACK_IN_USE',
      pack: { id, name },
      blockers: blockers.rows,
    };
  }
  // Purging an image is outside what is compared; packs of other origins only lose their row.
  if (pack.image_origin === 'UPLOAD') throw new Error('uploaded packs are not deleted here');
  await client.query({
    name: 'delete-pack',
    text: 'delete from packs where id = $1 and org_id = $2',
    values: row,
  });
  await client.query({
    name: 'record-deletion',
    text: `insert into audit_events
             (id, org_id, type, actor, subject_id, request_id, details, created_at)
           values (uuidv7(), $1, 'PACK_DELETED', $2, $3, $4, $5, now())`,
    values: [caller.orgId, `key_${caller.keyId}`, id, randomUUID(), { name: pack.name }],
  });
  return { __typename: 'DeletedPack', deletedPackId: id, name: pack.name, image: 'NOT_MANAGED' };
}
