import type { Caller } from '../identity/caller.ts';
import { AgentRole } from '../model/agent-role.entity.ts';
import type { Extent } from '../model/extent.ts';
import { roleIds } from '../model/ids.ts';
import { type ListedRole, roleFields } from '../model/role-row.ts';
import { onPage, type Page, type PageRequest, toPage } from '../page.ts';
import type { World } from '../world.ts';

export interface RoleListing {
  readonly includeArchived: boolean;
}

/** Roles of the caller's org, newest first. */
export async function listAgentRoles(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  page: PageRequest,
  listing: RoleListing,
  extent: Extent = 'whole',
): Promise<Page<ListedRole>> {
  const { place, options } = onPage(page, roleIds);
  const roles = await database
    .forOrg(caller.orgId)
    .find(AgentRole, { ...listed(listing), ...place }, { ...options, fields: roleFields[extent] });
  return toPage(page, roles);
}

/** How many roles `listAgentRoles` would go through. */
export const countAgentRoles = (
  { database }: Pick<World, 'database'>,
  caller: Caller,
  listing: RoleListing,
): Promise<number> => database.forOrg(caller.orgId).count(AgentRole, listed(listing));

const listed = ({ includeArchived }: RoleListing) => (includeArchived ? {} : { archivedAt: null });
