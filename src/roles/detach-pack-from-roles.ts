import { query } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { invalidField } from '../input.ts';
import { AgentRole } from '../model/agent-role.entity.ts';
import { packIds, type RoleId, roleIds } from '../model/ids.ts';
import type { PackRow } from '../model/pack-row.ts';
import { rowsOf } from '../model/rows-of.ts';
import type { ProblemOf } from '../outcomes.ts';
import { findPack } from '../packs/find-pack.ts';
import type { World } from '../world.ts';
import { detachFromRoles } from './attachments.ts';

/** Roles that one call may name. */
const MOST_ROLES = 1_000;

const lockedRows = rowsOf(AgentRole, 'r', ['id']);

export interface DetachPackFromRolesInput {
  /** As the caller sent them; what is no id is not found. */
  readonly packId: string;
  /** All roles of the caller's org when left out. */
  readonly roleIds?: readonly string[] | null | undefined;
}

export type DetachPackFromRolesOutcome =
  | {
      readonly kind: 'detached_from_roles';
      readonly pack: PackRow;
      /** Roles that had it. */
      readonly roleCount: number;
    }
  | ProblemOf<'not_found' | 'validation_failed'>;

/** Takes a pack from roles of the caller's org, archived ones included, in one transaction; from all or from none. */
export async function detachPackFromRoles(
  { database }: World,
  caller: Caller,
  input: DetachPackFromRolesInput,
): Promise<DetachPackFromRolesOutcome> {
  const packId = packIds.parse(input.packId);
  if (packId === null) return { kind: 'not_found', subject: 'pack', id: input.packId };
  const named = input.roleIds ?? null;
  if (named !== null && named.length > MOST_ROLES) {
    const message = `must not name more than ${MOST_ROLES} roles; leave it out for all of them`;
    return invalidField('roleIds', message);
  }
  const roles: RoleId[] = [];
  for (const id of named ?? []) {
    const roleId = roleIds.parse(id);
    if (roleId === null) return { kind: 'not_found', subject: 'agent_role', id };
    roles.push(roleId);
  }
  return database.forOrg(caller.orgId).transactional(async (em) => {
    // Locked in the order of ids and before the attachments, as every change of a role does it.
    const locked = await query<object>(
      em,
      `select ${lockedRows.columns} from agent_roles r where r.org_id = $1::uuid and r.id ${
        named === null
          ? 'in (select a.role_id from role_packs a where a.pack_id = $2::uuid and a.org_id = $1::uuid)'
          : '= any($2::uuid[])'
      } order by r.id for key share`,
      [caller.orgId, named === null ? packId : roles],
    );
    const held = locked.map((record) => lockedRows.ofRecord(record).id);
    const known = new Set(held);
    const unknown = roles.find((id) => !known.has(id));
    if (unknown !== undefined) return { kind: 'not_found', subject: 'agent_role', id: unknown };
    const pack = await findPack(em, caller, packId);
    if (pack === null) return { kind: 'not_found', subject: 'pack', id: packId };
    const roleCount = await detachFromRoles(em, caller, packId, held);
    return { kind: 'detached_from_roles', pack, roleCount };
  });
}
