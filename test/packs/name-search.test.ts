/** Packs by a part of their name: the same answer whichever way it is found, and nothing of the text is a pattern. */
import { describe, expect, test } from 'vitest';
import { databaseKinds, type Gateway, startGateway } from '../support/gateway.ts';

/** More than are walked before the index is asked; every hundredth is called rare, every other one common. */
async function fill(gateway: Gateway, count: number): Promise<void> {
  await gateway.app.world.database.query(
    `insert into packs (id, org_id, name, version, display_name, tier, visibility, suggested_packs, image_origin,
       repository, image_ref, size_bytes, status, cleanup_attempts, created_at, updated_at)
     select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, o.id,
       case when n % 100 = 0 then 'rare-' when n % 2 = 0 then 'common-' else 'other-' end || n, '1.0.0', 'Pack',
       'COMMUNITY', case when n % 3 = 0 then 'COMMUNITY' else 'ORG' end, '{}', 'IMAGE_REF', 'packs/x', 'packs/x:1', 1,
       'ACTIVE', 0, now(), now()
     from orgs o, generate_series(1, $1) n where o.slug = 'default'`,
    [count],
  );
}

describe.each(databaseKinds)('on %s', (database) => {
  test('every page is what a walk through all names would give', async () => {
    const gateway = await startGateway({ database });
    await fill(gateway, 3_500);
    expect(
      await gateway.app.world.database.query("select to_regclass('packs_name_search')", []),
    ).toEqual([{ to_regclass: 'packs_name_search' }]);
    const names = Array.from({ length: 3_500 }, (_, at) => {
      const n = 3_500 - at;
      return `${n % 100 === 0 ? 'rare' : n % 2 === 0 ? 'common' : 'other'}-${n}`;
    });
    const ask = async (part: string, args: string) => {
      const { data } = await gateway.graphql(
        `query ($part: String!) {
          packs(filter: { nameContains: $part } ${args}) { nodes { name } pageInfo { endCursor hasNextPage } totalCount }
        }`,
        { part },
      );
      return data.packs;
    };
    for (const part of ['rare', 'RARE-1', 'common', '777', 'ther-3', 'zebra', 're-', '-7']) {
      const expected = names.filter((name) => name.includes(part.toLowerCase()));
      const found: string[] = [];
      let page = await ask(part, ', first: 20');
      expect(page.totalCount, part).toBe(expected.length);
      for (let pages = 1; ; pages++) {
        found.push(...page.nodes.map(({ name }: { name: string }) => name));
        if (!page.pageInfo.hasNextPage || pages === 4) break;
        page = await ask(part, `, first: 20, after: "${page.pageInfo.endCursor}"`);
      }
      expect(found, part).toEqual(expected.slice(0, 80));
      const last = await ask(part, ', last: 5');
      expect(last.nodes.map(({ name }: { name: string }) => name)).toEqual(expected.slice(-5));
    }
    const key = await gateway.org('elsewhere');
    const shared = names.filter((name) => Number(/\d+$/.exec(name)) % 3 === 0);
    for (const part of ['rare', 'common', '777', 'zebra', '-7']) {
      const { data } = await gateway.graphql(
        `query ($part: String!) {
          packs(filter: { nameContains: $part, owned: false }, last: 100) { nodes { name } totalCount } }`,
        { part },
        key,
      );
      const expected = shared.filter((name) => name.includes(part));
      expect(data.packs.totalCount, part).toBe(expected.length);
      const found = data.packs.nodes.map(({ name }: { name: string }) => name);
      expect(found, part).toEqual(expected.slice(-100));
    }
    for (const part of ['rar%', 'r_re', 'ra\\re', '%%%', '___', 'rare%-', "rare'"]) {
      expect(await ask(part, ''), part).toMatchObject({ nodes: [], totalCount: 0 });
    }
  });
});
