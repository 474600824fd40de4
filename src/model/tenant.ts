/**
 * Whose rows an entity manager sees, and changes.
 *
 * The filter is on by default: `em.find`, `count`, `nativeUpdate` and `nativeDelete` name the org of
 * `database.forOrg(org)` by themselves, and fail where no org was given. Only what an org owns is found so: packs that
 * others share are a read of its own (`find-pack.ts`, `list-packs.ts`), which answers rows and no entities, so that no
 * write can reach them. An entity manager that must cross orgs comes from `database.acrossOrgs(reason)`.
 *
 * A flushed UPDATE would name the id alone. On packs and roles, `org` and `updatedAt` are checked with it
 * (`concurrencyCheck`), which puts the org into the statement and refuses what somebody else changed since it was read;
 * `updatedAt` therefore rises with every change (`later`). Keys and attachments have no such moment: they are changed
 * by `nativeUpdate` and `nativeDelete`, to which the filter applies.
 */
import type { OrgId } from './ids.ts';

/** What `forOrg` and `acrossOrgs` set. */
export type Tenant = { readonly org: OrgId } | { readonly everyOrg: true };

/** The filter of an entity whose rows belong to an org, each to one. */
export const ofTenant = tenantFilter('org');

/** @param column that names the org */
export function tenantFilter(column: 'org' | 'id' | 'orgId') {
  return {
    tenant: {
      name: 'tenant',
      default: true,
      cond: (tenant: Tenant) => ('org' in tenant ? { [column]: tenant.org } : {}),
    },
  };
}

/** The moment of a change: after the one before, whatever the clock says. */
export const later = ({ updatedAt }: { readonly updatedAt: Date }): Date =>
  new Date(Math.max(Date.now(), updatedAt.getTime() + 1));
