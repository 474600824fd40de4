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
import { blocksTouched, tableScans } from './plans.ts';
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
  const large = worldOf({ gateway, sent }, OWNER_KEY, 'default');
  const small = worldOf({ gateway, sent }, await gateway.key('OWNER', 'org-7'), 'org-7');
  return { client, sent, large, small };
}

/** For a machine that is busy; each takes a few seconds. */
const TIMEOUT_MS = 60_000;

/** Every operation there is, and a subscription that hears of one of them. */
async function everything(world: World): Promise<void> {
  await using stream = await subscribe(world.gateway, { key: world.key });
  for (const { name, prepare } of operations) {
    const operation = await prepare(world);
    if (!(await operation())) throw new Error(`${name} did not answer as expected`);
  }
  await stream.next();
}

test(
  'no statement reads a whole table',
  async () => {
    const { client, sent, large, small } = await start();
    for (const world of [large, small]) await everything(world);
    expect(sent.filter(({ sql }) => sql.includes('force_generic_plan'))).not.toEqual([]);
    const asked = new Map(sent.map((statement) => [statement.sql, statement]));
    const planned = [...asked.values()].filter(({ sql }) =>
      /^\s*(with|select|insert|update|delete)\b/i.test(sql),
    );
    expect(planned.length).toBeGreaterThan(80);
    const found: Record<string, string[]> = {};
    for (const statement of planned) {
      const scans = await tableScans(client, statement);
      if (scans.length > 0) found[statement.sql] = scans;
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
