/**
 * All SQL that a test file sends to a tenant's table, by which `tenancy.ts` proves tenancy on the statements themselves.
 *
 * Not where it is asserted: what vitest sets up it evaluates anew for each file, and a gateway would keep telling the
 * first of them.
 */
import { crossOrgReasons } from '../../src/database/cross-org.ts';

const statements = new Set<string>();

export const recordStatement = (sql: string): void => {
  statements.add(sql);
};

/** Those recorded since the last call. */
export function takeStatements(): string[] {
  const taken = [...statements];
  statements.clear();
  return taken;
}

const TENANT_TABLE =
  /\b(?:from|join|into|update|delete from)\s+(?:\/\*.*?\*\/\s*)?"?(?:packs|agent_roles|role_packs|api_keys|audit_events)"?\b/i;
const ORG_PREDICATE =
  /\borg_id"?\s*(?:=|<>|is)|\borg_id\b[^;]*\bvalues\b|\("?[^()]*\borg_id\b[^()]*\)\s*(?:values|select)/i;
const LISTED = new RegExp(`across orgs: (?:${Object.keys(crossOrgReasons).join('|')})`);

/** Whether it neither names the org nor is on the list of `cross-org.ts`. */
export const violatesTenancy = (sql: string): boolean =>
  TENANT_TABLE.test(sql) && !ORG_PREDICATE.test(sql) && !LISTED.test(sql);
