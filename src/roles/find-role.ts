import { LockMode } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Database } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { AgentRole } from '../model/agent-role.entity.ts';
import type { RoleId } from '../model/ids.ts';
import type { RoleRow } from '../model/role-row.ts';

/** Roles of the caller's org by id, archived ones included; in no particular order. */
export const findRoles = (
  database: Database,
  caller: Caller,
  ids: readonly RoleId[],
): Promise<RoleRow[]> => database.forOrg(caller.orgId).find(AgentRole, { id: { $in: [...ids] } });

/** One role of the caller's org, or null. */
export const findRole = (database: Database, caller: Caller, id: RoleId): Promise<RoleRow | null> =>
  database.forOrg(caller.orgId).findOne(AgentRole, { id });

/** The role, locked until the transaction of `em` ends, to be changed in it; or null. */
export const lockRole = (em: SqlEntityManager, id: RoleId): Promise<AgentRole | null> =>
  em.findOne(AgentRole, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });

/** The role, which no other transaction changes until that of `em` ends; or null. */
export const holdRole = (em: SqlEntityManager, id: RoleId): Promise<AgentRole | null> =>
  em.findOne(AgentRole, { id }, { lockMode: LockMode.PESSIMISTIC_READ });
