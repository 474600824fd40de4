/**
 * On tables of realistic size and fresh statistics: no statement that the service sends reads a whole table of its
 * tenants, and a page far down a list costs what the first one costs.
 */
import pg from 'pg';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { subscribe } from '../support/event-stream.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { operations } from './operations.ts';
import { blocksTouched, emptyPartitions, partitionsTouched, tableScans } from './plans.ts';
import { fillWithRealisticData } from './realistic-data.ts';
import { startRecordedGateway, type World, worldOf } from './world.ts';

let template = '';

beforeAll(async () => {
  const url = await createDatabase();
  await fillWithRealisticData(url);
  template = new URL(url).pathname.slice(1);
});

async function start() {
  const { gateway, url, sent } = await startRecordedGateway(template);
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  return { client, sent, large: worldOf({ gateway, sent }, OWNER_KEY, 'default') };
}

/** For a machine that is busy; each takes a few seconds. */
const TIMEOUT_MS = 180_000;

/** Every operation there is, and a subscription that hears of one of them. */
async function everything(world: World): Promise<void> {
  await using stream = await subscribe(world.gateway, { key: world.key });
  for (const { name, prepare } of operations) {
    const operation = await prepare(world);
    if (!(await operation())) throw new Error(`${name} did not answer as expected`);
  }
  await stream.next();
}

/** The ids of these orgs, in their order. */
async function idsOf(client: pg.Client, slugs: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    'select id from orgs where slug = any($1) order by array_position($1, slug::text)',
    [slugs],
  );
  expect(rows).toHaveLength(slugs.length);
  return rows.map(({ id }) => id);
}

/** Statements that differ in nothing else have one plan: each id, name and moment in them is as rare as any other. */
const withoutValues = (sql: string): string =>
  sql.replaceAll(/'(?:[^']|'')*'/g, (literal) => (/^'[A-Z_]*'$/.test(literal) ? literal : "''"));

test(
  'no statement reads a whole table',
  async () => {
    const { client, sent, large } = await start();
    await everything(large);
    const asked = new Map(sent.map((statement) => [withoutValues(statement.sql), statement]));
    const orgs = await idsOf(client, ['default', 'org-7']);
    expect(sent.filter(({ sql }) => sql.includes('force_generic_plan'))).not.toEqual([]);
    const planned = [...asked.values()].filter(({ sql }) =>
      /^\s*(with|select|insert|update|delete)\b/i.test(sql),
    );
    expect(planned.length).toBeGreaterThan(80);
    const ofNothing = await emptyPartitions(client);
    const found: Record<string, string[]> = {};
    for (const statement of planned) {
      // A small org sends the same; where its id is in the text, PostgreSQL knows that it is small.
      for (const sql of new Set(orgs.map((org) => statement.sql.replaceAll(orgs[0] ?? '', org)))) {
        const scans = await tableScans(client, sql, ofNothing);
        if (scans.length > 0) found[sql] = scans;
      }
    }
    expect(found).toEqual({});
  },
  TIMEOUT_MS,
);

const SIZE = 20;
const DEEP = 200;

test(
  'page 200 of a list costs what page 1 costs',
  async () => {
    const { client, sent, large } = await start();
    for (const [field, args] of [
      ['packs', ''],
      ['packs', ', filter: { owned: true }'],
      ['packs', ', filter: { visibility: ORG }'],
      ['agentRoles', ''],
      ['apiKeys', ''],
      ['auditEvents', ''],
      ['auditEvents', ', filter: { type: PACK_CREATED }'],
    ] as const) {
      const page = async (after: string | null, size: number) => {
        const document = `query ($after: String, $size: Int!) {
        ${field}(first: $size, after: $after ${args}) { nodes { id } pageInfo { endCursor } } }`;
        sent.length = 0;
        const { [field]: list } = await large.graphql(document, { after, size });
        const statement = sent.find(({ sql }) => /\blimit\b/.test(sql));
        if (statement === undefined) throw new Error('no statement for the page');
        return { list, blocks: await blocksTouched(client, statement) };
      };
      const first = await page(null, SIZE);
      let cursor: string | null = null;
      // On the way there, 200 items at a time.
      for (let passed = 0; passed < (DEEP - 1) * SIZE; passed += 200) {
        const size = Math.min(200, (DEEP - 1) * SIZE - passed);
        cursor = (await page(cursor, size)).list.pageInfo.endCursor;
      }
      const deep = await page(cursor, SIZE);
      expect(deep.list.nodes).toHaveLength(SIZE);
      expect(deep.blocks, `${field}${args}`).toBeLessThan(first.blocks * 1.5 + 10);
    }
  },
  TIMEOUT_MS,
);

test(
  'the newest events, and those of one pack, lie in few partitions of the audit log',
  async () => {
    const { client, sent, large } = await start();
    const touched = async (args: string) => {
      sent.length = 0;
      const { auditEvents } = await large.graphql(
        `{ auditEvents(first: 20 ${args}) { nodes { subjectId } } }`,
        {},
      );
      const statement = sent.find(({ sql }) => /\blimit\b/.test(sql));
      if (statement === undefined) throw new Error('no statement for the page');
      return { nodes: auditEvents.nodes, partitions: await partitionsTouched(client, statement) };
    };
    const { rows } = await client.query('select name from audit_partitions() order by ends');
    expect(rows).toHaveLength(9);
    const newest = await touched('');
    // Those of the months to come are empty, and so is the last.
    const most = rows.slice(-5).map(({ name }) => name);
    expect(newest.nodes).toHaveLength(20);
    expect(newest.partitions.sort()).toEqual(most.sort());
    const [{ subjectId }] = newest.nodes;
    const ofOne = await touched(`, filter: { subjectId: "${subjectId}" }`);
    expect(ofOne.nodes.length).toBeGreaterThan(0);
    expect(ofOne.partitions.length).toBeLessThanOrEqual(most.length + 1);
  },
  TIMEOUT_MS,
);

test(
  'a page of events between two places is not what lies between them',
  async () => {
    const { client, sent, large } = await start();
    const year = new Date(Date.now() - 31_536_000_000).toISOString();
    const page = async (args: string) => {
      sent.length = 0;
      const { auditEvents } = await large.graphql(
        `{ auditEvents(first: 20, filter: { type: PACK_CREATED, since: "${year}" } ${args}) {
          nodes { id } pageInfo { endCursor } } }`,
        {},
      );
      expect(auditEvents.nodes).toHaveLength(20);
      const statement = sent.find(({ sql }) => /\blimit\b/.test(sql));
      if (statement === undefined) throw new Error('no statement for the page');
      return { list: auditEvents, blocks: await blocksTouched(client, statement) };
    };
    const first = await page('');
    const second = await page(`, after: "${first.list.pageInfo.endCursor}"`);
    expect(second.blocks).toBeLessThan(first.blocks * 1.5 + 10);
  },
  TIMEOUT_MS,
);

test(
  'a part of a name that hardly any pack has is found by its trigrams',
  async () => {
    const { client, sent, large } = await start();
    const search = async (part: string) => {
      const document = `query ($part: String!) {
        packs(first: 50, filter: { nameContains: $part, owned: true }) { nodes { name } } }`;
      sent.length = 0;
      const { packs } = await large.graphql(document, { part });
      const statement = sent.find(({ sql }) => sql.includes('p.name'));
      if (statement === undefined) throw new Error('no statement for the page');
      return { found: packs.nodes.length, statement };
    };
    const none = await search('zebra');
    const { rows } = await client.query(`explain (generic_plan) ${none.statement.sql}`);
    expect(JSON.stringify(rows)).toContain('packs_name_search');
    expect(none.found).toBe(0);
    // All 12,000 packs of the org lie on some hundred blocks.
    expect(await blocksTouched(client, none.statement)).toBeLessThan(150);
    const many = await search('pack');
    expect(many.found).toBe(50);
    expect(await blocksTouched(client, many.statement)).toBeLessThan(30);
  },
  TIMEOUT_MS,
);

test(
  'a search walks a list once, however much of it is shared, and asks of what is shared apart',
  async () => {
    const { client, sent, large } = await start();
    const blocks = async () => {
      sent.length = 0;
      const { packs } = await large.graphql(
        '{ packs(first: 50, filter: { nameContains: "zebra" }) { nodes { name } } }',
        {},
      );
      expect(packs.nodes).toEqual([]);
      const statement = sent.find(({ sql }) => sql.includes('p.name like'));
      if (statement === undefined) throw new Error('no statement for the page');
      const { rows } = await client.query(`explain (generic_plan) ${statement.sql}`);
      return { blocks: await blocksTouched(client, statement), plan: JSON.stringify(rows) };
    };
    const few = await blocks();
    expect(few.plan).toContain('packs_shared_name_search');
    await client.query(
      `update packs set visibility = 'COMMUNITY'
       where mod(length(name) + ascii(right(name, 1)), 5) = 0 and org_id is not null`,
    );
    await client.query('vacuum analyze packs');
    expect((await blocks()).blocks).toBeLessThan(few.blocks * 1.2 + 20);
  },
  TIMEOUT_MS,
);

test(
  'a search asks the index for names however many packs were just added',
  async () => {
    const { client, sent, large } = await start();
    await client.query('alter table packs set (autovacuum_enabled = off)');
    await client.query(
      `insert into packs (id, org_id, name, version, display_name, tier, visibility, suggested_packs, image_origin,
         repository, image_ref, size_bytes, status, cleanup_attempts, created_at, updated_at)
       select uuidv7(), o.id, 'agent-' || md5(n::text), '1.0.0', 'Pack', 'COMMUNITY', 'ORG', '{}', 'IMAGE_REF',
         'library/pack', 'library/pack:1', 1, 'ACTIVE', 0, now(), now()
       from orgs o, generate_series(1, 1500) n where o.slug = 'default'`,
    );
    sent.length = 0;
    await large.graphql(
      '{ packs(filter: { nameContains: "zebra", owned: true }) { nodes { name } } }',
      {},
    );
    const statement = sent.find(({ sql }) => sql.includes('p.name like'));
    if (statement === undefined) throw new Error('no statement for the page');
    const { rows } = await client.query(`explain (generic_plan) ${statement.sql}`);
    expect(JSON.stringify(rows)).toContain('packs_name_search');
    expect(await blocksTouched(client, statement)).toBeLessThan(250);
  },
  TIMEOUT_MS,
);

test(
  'what is rare, or of one pack, is found without going through the rest',
  async () => {
    const { client, sent, large } = await start();
    await client.query(`update packs set image_origin = 'UPLOAD' where image_origin = 'CLONE'`);
    await client.query('vacuum analyze packs');
    const { rows } = await client.query<{ id: string }>(
      `select p.id from packs p join orgs o on o.id = p.org_id and o.slug = 'default' limit 1`,
    );
    for (const [list, filter] of [
      ['packs', 'imageOrigin: CLONE, owned: true'],
      ['auditEvents', `subjectId: "pack_${rows[0]?.id}"`],
    ]) {
      sent.length = 0;
      await large.graphql(`{ ${list}(filter: { ${filter} }) { nodes { id } } }`, {});
      const statement = sent.find(({ sql }) => /\blimit\b/.test(sql));
      if (statement === undefined) throw new Error('no statement for the page');
      expect(await blocksTouched(client, statement), filter).toBeLessThan(20);
    }
  },
  TIMEOUT_MS,
);

test(
  'what is rare among all that orgs share is found without going through it, and so are packs by their names',
  async () => {
    const { client, sent, large } = await start();
    await client.query(
      `update packs set visibility = 'COMMUNITY', image_origin = 'UPLOAD', tier = 'COMMUNITY'
       where right(name, 1) = '6' and org_id is not null`,
    );
    await client.query('vacuum analyze packs');
    const { packs } = await large.graphql('{ packs(first: 1) { pageInfo { endCursor } } }', {});
    const after = `, after: "${packs.pageInfo.endCursor}"`;
    for (const filter of [
      'category: "none"',
      'imageOrigin: CLONE, visibility: COMMUNITY',
      'tier: VERIFIED, visibility: COMMUNITY',
      'status: DELETING',
      'names: ["pack-6", "pack-16", "none"]',
    ]) {
      for (const [owned, place] of [
        ['', ''],
        ['owned: false,', ''],
        ['', after],
      ]) {
        sent.length = 0;
        await large.graphql(
          `{ packs(first: 50, filter: { ${owned} ${filter} } ${place}) { nodes { id } } }`,
          {},
        );
        const statement = sent.find(({ sql }) => /\blimit\b/.test(sql));
        if (statement === undefined) throw new Error('no statement for the page');
        // Orgs share two thousand packs, on hundreds of blocks.
        expect(await blocksTouched(client, statement), owned + filter + place).toBeLessThan(150);
      }
    }
  },
  TIMEOUT_MS,
);

test(
  'packs of others are found without going to those that the org itself shares',
  async () => {
    const { client, sent, large } = await start();
    await client.query(
      `update packs set visibility = 'COMMUNITY' where org_id = (select id from orgs where slug = 'default')`,
    );
    await client.query('vacuum analyze packs');
    const document = '{ packs(filter: { owned: false }) { nodes { owned } } }';
    sent.length = 0;
    const { packs } = await large.graphql(document, {});
    expect(packs.nodes).toHaveLength(50);
    const statement = sent.find(({ sql }) => sql.includes('org_id <> $1'));
    if (statement === undefined) throw new Error('no statement for the page');
    // The org shares 12,000 packs, on some hundred blocks.
    expect(await blocksTouched(client, statement)).toBeLessThan(200);
  },
  TIMEOUT_MS,
);

test(
  'a deletion that thousands of roles refuse costs what one costs that sixty refuse',
  async () => {
    const { client, sent, large } = await start();
    const refusal = async (name: string, holders: number) => {
      const { rows } = await client.query<{ id: string }>(
        `with pack as (
           insert into packs (id, org_id, name, version, display_name, tier, visibility, suggested_packs, image_origin,
             repository, image_ref, size_bytes, status, cleanup_attempts, created_at, updated_at)
           select uuidv7(), id, $1, '1.0.0', $1, 'COMMUNITY', 'ORG', '{}', 'IMAGE_REF', 'library/held',
             'library/held:1.0.0', 1, 'ACTIVE', 0, now(), now() from orgs where slug = 'default'
           returning id, org_id
         ), held as (
           insert into role_packs (role_id, pack_id, org_id, attached_at)
           select r.id, pack.id, r.org_id, now() from pack, agent_roles r where r.org_id = pack.org_id limit $2
           returning 1
         )
         select pack.id, (select count(*) from held) from pack`,
        [name, holders],
      );
      await client.query('vacuum analyze role_packs');
      sent.length = 0;
      const { deletePack } = await large.graphql(
        `mutation ($id: ID!) { deletePack(id: $id) { ... on PackInUse { roles { nodes { name } } } } }`,
        { id: `pack_${rows[0]?.id}` },
      );
      expect(deletePack.roles.nodes).toHaveLength(50);
      const looks = sent.filter(({ sql }) => /^\s*(?:with|select)\b.*\brole_packs\b/is.test(sql));
      expect(looks).not.toEqual([]);
      let blocks = 0;
      for (const look of looks) blocks += await blocksTouched(client, look);
      return blocks;
    };
    const few = await refusal('held-by-few', 60);
    expect(await refusal('held-by-many', 5_000)).toBeLessThan(few * 1.2 + 10);
  },
  TIMEOUT_MS,
);
