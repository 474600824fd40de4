/** What it costs that requests of one moment, which share statements on one replica, arrive at several. */
import { expect, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { deletePackDocument } from '../support/deletion.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { recordPostgres } from './recording-proxy.ts';

const AT_ONCE = 16;

/** A session begins, or the use of the key is noted. */
const NOT_OF_REQUESTS = /plan_cache_mode|touch key/;

const PACK = 'query ($id: ID!) { pack(id: $id) { id name version } }';
const DELETE = deletePackDocument();

test('sixteen requests take fewer statements on one replica than on four, and most one by one', async () => {
  const { url, sent } = await recordPostgres(await createDatabase());
  const replica = () => startGateway({ environment: { DATABASE_URL: url } });
  const replicas = await Promise.all([replica(), replica(), replica(), replica()]);
  const [first] = replicas as [Gateway, ...Gateway[]];
  const { id } = await first.pack('triage');
  await first.graphql(
    `mutation ($id: ID!) {
    createAgentRole(input: { name: "r", packIds: [$id] }) { __typename } }`,
    { id },
  );
  const count = async (query: string, over: readonly Gateway[], atOnce: number) => {
    sent.length = 0;
    for (let done = 0; done < AT_ONCE; done += atOnce) {
      await Promise.all(
        Array.from({ length: atOnce }, (_, index) =>
          over[index % over.length]?.graphql(query, { id }),
        ),
      );
    }
    return sent.filter(({ sql }) => !NOT_OF_REQUESTS.test(sql)).length;
  };
  for (const query of [PACK, DELETE]) {
    await count(query, replicas, AT_ONCE);
    const alone = await count(query, [first], 1);
    const onOne = await count(query, [first], AT_ONCE);
    const onFour = await count(query, replicas, AT_ONCE);
    expect(alone).toBe(2 * AT_ONCE);
    expect(onOne).toBeLessThan(alone);
    expect(onFour).toBeGreaterThanOrEqual(onOne);
    expect(onFour).toBeLessThanOrEqual(alone);
  }
});
