/** Everything that an org has: its rows in every table there is, and what is in the registry. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPullable, type StoredPack } from '../../support/deletion.ts';
import type { Gateway } from '../../support/gateway.ts';

/** Which rows of a table are the org's, by its id or its slug (`$1`); null: no tenant's data. */
const rowsOf: Readonly<
  Record<string, { readonly by: 'id' | 'slug'; readonly where: string } | null>
> = {
  orgs: { by: 'id', where: 'id = $1' },
  packs: { by: 'id', where: 'org_id = $1' },
  agent_roles: { by: 'id', where: 'org_id = $1' },
  role_packs: { by: 'id', where: 'org_id = $1' },
  api_keys: { by: 'id', where: 'org_id = $1' },
  audit_events: { by: 'id', where: 'org_id = $1' },
  pack_deletions: {
    by: 'id',
    where: `subject_id in (select e.subject_id from audit_events e where e.org_id = $1)`,
  },
  event_listeners: { by: 'id', where: 'org_id = $1' },
  repository_leases: { by: 'slug', where: `repository like '%/' || $1 || '/%'` },
  mikro_orm_migrations: null,
};

export type Dump = Readonly<Record<string, readonly string[]>>;

/** How an org's rows are found, for every table that there is; null where a table holds no tenant's data. */
export async function tenantTables({ app }: Gateway): Promise<typeof rowsOf> {
  const tables = await app.world.database.query<{ name: string }>(
    // The rows of a partition are its table's.
    `select relname as name from pg_class where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace`,
    [],
  );
  const known = tables.map(({ name }) => {
    const ofOrg = rowsOf[name];
    if (ofOrg !== undefined) return [name, ofOrg] as const;
    throw new Error(`${name} is new: say in cross-org/dump.ts which of its rows are an org's`);
  });
  return Object.fromEntries(known);
}

/** Rows as JSON, by table, in a fixed order; all but the moment when a key was last used. */
export async function dump(gateway: Gateway, orgSlug: string): Promise<Dump> {
  const { database } = gateway.app.world;
  const [org] = await database.query<{ id: string }>('select id from orgs where slug = $1', [
    orgSlug,
  ]);
  if (org === undefined) throw new Error(`there is no org ${orgSlug}`);
  const found: Record<string, string[]> = {};
  for (const [name, ofOrg] of Object.entries(await tenantTables(gateway))) {
    if (ofOrg === null) continue;
    const rows = await database.query<Record<string, unknown>>(
      `select * from ${name} where ${ofOrg.where}`,
      [ofOrg.by === 'id' ? org.id : orgSlug],
    );
    found[name] = rows.map(({ last_used_at: _, ...row }) => JSON.stringify(row)).sort();
  }
  return found;
}

/** The rows, what the embedded registry's index says of the org's repositories, and which images can be pulled. */
export async function dumpAll(gateway: Gateway, orgSlug: string): Promise<Dump> {
  const rows = await dump(gateway, orgSlug);
  const path = join(gateway.dataDirectory, 'registry', 'index.json');
  const index: { manifests: unknown[] } = JSON.parse(readFileSync(path, 'utf8'));
  const entries = index.manifests.map((entry) => JSON.stringify(entry));
  const pullable: string[] = [];
  for (const row of rows.packs ?? []) {
    const pack: StoredPack = JSON.parse(row);
    if (await isPullable(gateway, pack)) pullable.push(pack.repository);
  }
  const images = entries.filter((entry) => entry.includes(`/${orgSlug}/`)).sort();
  return { ...rows, images, pullable };
}
