import { describe, expect, test } from 'vitest';
import { change, events } from '../packs/changes.ts';
import { databaseKinds, startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const VIEWER = '{ viewer { scopes apiKey { id } } }';
const KEYS = `query ($first: Int, $after: String) { apiKeys(first: $first, after: $after) {
  totalCount nodes { id label permissionSet prefix } pageInfo { hasNextPage endCursor } } }`;

describe.each(databaseKinds)('API keys on %s', (database) => {
  test('a new key works at once, and its secret is in no row, log line or other answer', async () => {
    const gateway = await startGateway({ database });
    const variables = { label: 'ci', permissionSet: 'FULL_ACCESS' };
    const { secret, key } = await change(gateway, 'createApiKey', variables);
    expect(secret).toMatch(/^sk_[\w-]{43}$/);
    expect(key).toMatchObject({ label: 'ci', permissionSet: 'FULL_ACCESS', lastUsedAt: null });
    const { data } = await gateway.graphql(VIEWER, {}, secret);
    expect(data.viewer).toEqual({ scopes: ['caps:write', 'audit:read'], apiKey: { id: key.id } });
    const rows = await gateway.app.world.database.query(
      `select encode(secret_hash, 'hex') as hash, k.* from api_keys k where org_id is not null`,
      [],
    );
    const listed = await gateway.graphql(KEYS);
    const seen = JSON.stringify([rows, gateway.logs, listed, await events(gateway)]);
    expect(seen).not.toContain(secret.slice(10));
  });

  test('an owner key cannot be made, nor one without a label', async () => {
    const gateway = await startGateway({ database });
    const make = (label: string, permissionSet: string) =>
      change(gateway, 'createApiKey', { label, permissionSet });
    expect(await make('x', 'OWNER')).toMatchObject({ fields: [{ path: 'permissionSet' }] });
    for (const label of ['', ' ', 'a\nb', 'a\0b', 'x'.repeat(256)]) {
      const { fields } = await make(label, 'READ_ONLY');
      expect(new Set(fields.map(({ path }: { path: string }) => path))).toEqual(new Set(['label']));
    }
    expect(await events(gateway)).toEqual([]);
  });

  test('keys are listed newest first, page by page, without those revoked and those of others', async () => {
    const gateway = await startGateway({ database });
    await gateway.org('globex');
    for (const label of ['a', 'b', 'c']) {
      await change(gateway, 'createApiKey', { label, permissionSet: 'READ_ONLY' });
    }
    const labels: string[] = [];
    let after: string | null = null;
    do {
      const { data } = await gateway.graphql(KEYS, { first: 2, after });
      expect(data.apiKeys.totalCount).toBe(4);
      labels.push(...data.apiKeys.nodes.map(({ label }: { label: string }) => label));
      after = data.apiKeys.pageInfo.hasNextPage ? data.apiKeys.pageInfo.endCursor : null;
    } while (after !== null);
    expect(labels).toEqual(['c', 'b', 'a', 'bootstrap owner']);
  });

  test('a revoked key is refused from the next request on, by every replica', async () => {
    const gateway = await startGateway({ database });
    const { environment } = gateway;
    const replica = database === 'postgres' ? await startGateway({ environment }) : gateway;
    const variables = { label: 'ci', permissionSet: 'READ_ONLY' };
    const { secret, key } = await change(gateway, 'createApiKey', variables);
    expect((await replica.graphql(VIEWER, {}, secret)).errors).toBeUndefined();
    const revoked = await change(gateway, 'revokeApiKey', { id: key.id });
    expect(revoked).toEqual({ __typename: 'RevokedApiKey', key: { id: key.id } });
    const { errors } = await replica.graphql(VIEWER, {}, secret);
    expect(errors[0].extensions.code).toBe('UNAUTHENTICATED');
    const again = await change(gateway, 'revokeApiKey', { id: key.id });
    expect(again).toMatchObject({ __typename: 'NotFound', code: 'API_KEY_NOT_FOUND' });
  });

  test("the last owner key stays, and another org's keys are not there", async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('globex');
    const own = async (key: string) =>
      (await gateway.graphql(VIEWER, {}, key)).data.viewer.apiKey.id;
    const first = await own(OWNER_KEY);
    const second = await own(await gateway.key('OWNER'));
    const foreign = await change(gateway, 'revokeApiKey', { id: first }, other);
    expect(foreign.__typename).toBe('NotFound');
    const both = await Promise.all(
      [first, second].map((id) =>
        gateway.graphql(`mutation { revokeApiKey(id: "${id}") {
        __typename } }`),
      ),
    );
    const types = both.map(({ data }) => data?.revokeApiKey.__typename ?? 'refused').sort();
    // The caller's own key may be the one that went first.
    expect([
      ['RevokedApiKey', 'ValidationFailed'],
      ['RevokedApiKey', 'refused'],
    ]).toContainEqual(types);
  });

  test('only apikeys:write may see, make or revoke keys', async () => {
    const gateway = await startGateway({ database });
    const key = await gateway.key('FULL_ACCESS');
    const { errors } = await gateway.graphql(KEYS, {}, key);
    expect(errors[0].extensions).toMatchObject({
      code: 'PERMISSION_DENIED',
      requiredScopes: ['apikeys:write'],
    });
    const make = change(gateway, 'createApiKey', { label: 'x', permissionSet: 'READ_ONLY' }, key);
    await expect(make).rejects.toThrow('PERMISSION_DENIED');
  });

  test('unknown, malformed and revoked keys are refused alike, each after one look-up', async () => {
    const gateway = await startGateway({ database });
    for (const key of ['sk_x', 'nonsense', `sk_${'a'.repeat(43)}`, 'a.b', '0'.repeat(5_000)]) {
      gateway.statements.length = 0;
      const { errors } = await gateway.graphql(VIEWER, {}, key);
      expect(errors[0].extensions.code).toBe('UNAUTHENTICATED');
      expect(gateway.statements).toHaveLength(1);
    }
  });
});
