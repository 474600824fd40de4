/**
 * Tenancy, proved on the statements themselves: all SQL that a test file sends to a tenant's table is recorded, and
 * one that neither names the org nor is on the list of `cross-org.ts` fails the run.
 */
import { afterAll, expect } from 'vitest';
import { crossOrgReasons } from '../../src/database/cross-org.ts';

const statements = new Set<string>();

export const recordStatement = (sql: string): void => {
  statements.add(sql);
};

const TENANT_TABLE =
  /\b(?:from|join|into|update|delete from)\s+(?:\/\*.*?\*\/\s*)?"?(?:packs|agent_roles|role_packs|api_keys|audit_events)"?\b/i;
const ORG_PREDICATE =
  /\borg_id"?\s*(?:=|<>|is)|\borg_id\b[^;]*\bvalues\b|\("?[^()]*\borg_id\b[^()]*\)\s*(?:values|select)/i;
const LISTED = new RegExp(`across orgs: (?:${Object.keys(crossOrgReasons).join('|')})`);

export const violatesTenancy = (sql: string): boolean =>
  TENANT_TABLE.test(sql) && !ORG_PREDICATE.test(sql) && !LISTED.test(sql);

afterAll(() => {
  expect([...statements].filter(violatesTenancy), 'statements without the org predicate').toEqual(
    [],
  );
});
