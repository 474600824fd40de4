/** Asks PostgreSQL how it would run a statement, and finds what would be slow on large tables. */
import type pg from 'pg';
import type { SentStatement } from './recording-proxy.ts';

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Actual Loops'?: number;
  readonly 'Shared Hit Blocks'?: number;
  readonly 'Shared Read Blocks'?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Tables that grow with the tenants' use. Leases and listeners hold what is under way at a moment. */
const TENANT_TABLES = new Set(['packs', 'agent_roles', 'role_packs', 'audit_events', 'api_keys']);

/** How the name of a partition ends, or of its index. */
const PARTITION = /_(?:earlier|later|\d{4}_\d{2})$/;

/** Indexes that hold nothing but what the statement asks for, and are walked in order until the page is full. */
const WALKED = new Set([
  'packs_community_newest',
  'packs_platform_newest',
  'packs_shared_unfinished',
]);

/** Holds what `packs_community_newest` holds: where all of that is counted, PostgreSQL reads the one or the other. */
const COUNTED = 'packs_shared_name';
const isCount = (sql: string): boolean => sql.startsWith('select (select count(*)');

/** The partitions without a row: to read all of them is to read nothing. */
export async function emptyPartitions(client: pg.Client): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ relname: string }>(
    `select relname from pg_class where relispartition and relkind = 'r' and reltuples <= 0`,
  );
  return new Set(rows.map(({ relname }) => relname));
}

/**
 * What reads more of a tenant's table than an index leads to; empty where nothing does. The plan is the generic one,
 * as the service has PostgreSQL make it (`planOnce` in connect.ts).
 * @param ofNothing tables that may be read whole
 */
export async function tableScans(
  client: pg.Client,
  sql: string,
  ofNothing: ReadonlySet<string>,
): Promise<string[]> {
  const { rows } = await client.query(`explain (format json, generic_plan) ${sql}`);
  return nodesOf(rows[0]['QUERY PLAN'][0].Plan).flatMap((node) => {
    const table = node['Relation Name'];
    if (table === undefined || ofNothing.has(table)) return [];
    if (!TENANT_TABLES.has(table.replace(PARTITION, ''))) return [];
    const type = node['Node Type'];
    if (type === 'Seq Scan') return [`reads all of ${table}`];
    const index = node['Index Name'];
    const isWhole = /^Index (Only )?Scan$/.test(type) && node['Index Cond'] === undefined;
    const mayBe = WALKED.has(index ?? '') || (index === COUNTED && isCount(sql));
    return isWhole && !mayBe ? [`reads all of ${index}`] : [];
  });
}

/** Which partitions of the audit log running the statement looks into. It must only read. */
export async function partitionsTouched(
  client: pg.Client,
  statement: SentStatement,
): Promise<string[]> {
  return nodesOf(await run(client, statement)).flatMap((node) =>
    node['Relation Name']?.startsWith('audit_events_') && node['Actual Loops'] !== 0
      ? [node['Relation Name']]
      : [],
  );
}

/** How many blocks running the statement touches: its cost, whatever else the machine does. It must only read. */
export async function blocksTouched(client: pg.Client, statement: SentStatement): Promise<number> {
  // The node at the top counts what is below it.
  const plan = await run(client, statement);
  return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
}

async function run(client: pg.Client, { sql, values }: SentStatement): Promise<PlanNode> {
  const literals = values.map((value) => client.escapeLiteral(String(value)));
  await client.query(`set plan_cache_mode = force_generic_plan; prepare measured as ${sql}`);
  const { rows } = await client.query(
    `explain (analyze, buffers, timing off, format json) execute measured (${literals})`,
  );
  await client.query('deallocate measured');
  return rows[0]['QUERY PLAN'][0].Plan;
}

function nodesOf(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}
