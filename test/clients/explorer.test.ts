import { buildClientSchema, getIntrospectionQuery } from 'graphql';
import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const EXPLORER = 'https://studio.apollographql.com';
const HEADERS = 'authorization,content-type,apollo-require-preflight';

interface Asking {
  readonly origin?: string;
  readonly key?: string | null;
  readonly variables?: object;
}

async function start(environment: Record<string, string> = {}) {
  const gateway = await startGateway({ database: 'postgres', environment });
  const url = `${await listening(gateway)}/graphql`;
  return {
    preflight: (origin: string) =>
      fetch(url, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': HEADERS,
        },
      }),
    ask: (query: string, { origin = EXPLORER, key = OWNER_KEY, variables = {} }: Asking = {}) =>
      fetch(url, {
        method: 'POST',
        headers: {
          origin,
          accept: 'application/graphql-response+json',
          'content-type': 'application/json',
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({ query, variables }),
      }),
  };
}

describe("Apollo's Explorer in a browser", () => {
  test('is let in by the preflight, which nobody can send a key with', async () => {
    const { preflight } = await start();
    const { status, headers } = await preflight(EXPLORER);
    expect(status).toBe(204);
    expect(headers.get('access-control-allow-origin')).toBe(EXPLORER);
    expect(headers.get('access-control-allow-methods')).toContain('POST');
    expect(headers.get('access-control-allow-headers')?.toLowerCase().split(/, ?/).sort()).toEqual(
      HEADERS.split(',').sort(),
    );
    expect(headers.get('access-control-allow-credentials')).not.toBe('true');
  });

  test.each([
    'https://evil.example',
    'http://studio.apollographql.com',
    `${EXPLORER}.evil.example`,
    'null',
  ])('other origins are not let in: %s', async (origin) => {
    const { preflight, ask } = await start();
    expect((await preflight(origin)).headers.get('access-control-allow-origin')).toBeNull();
    const answer = await ask('{ __typename }', { origin });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('with CORS_ORIGINS only the origins listed are let in, and with an empty list nobody', async () => {
    const allowedBy = async (CORS_ORIGINS: string, origin: string) => {
      const { preflight } = await start({ CORS_ORIGINS });
      return (await preflight(origin)).headers.get('access-control-allow-origin');
    };
    const two = 'https://a.example,https://b.example';
    expect(await allowedBy(two, 'https://b.example')).toBe('https://b.example');
    expect(await allowedBy(two, EXPLORER)).toBeNull();
    expect(await allowedBy(',', EXPLORER)).toBeNull();
    const below = 'https://*.example.com,capacitor://localhost,chrome-extension://abc';
    expect(await allowedBy(below, 'https://a.example.com')).toBe('https://a.example.com');
    expect(await allowedBy(below, 'https://example.com')).toBeNull();
    expect(await allowedBy(below, 'https://a.example.com.evil.example')).toBeNull();
    expect(await allowedBy(below, 'http://a.example.com')).toBeNull();
    expect(await allowedBy(below, 'capacitor://localhost')).toBe('capacitor://localhost');
    expect(await allowedBy(below, 'chrome-extension://abc')).toBe('chrome-extension://abc');
  });

  test('reads the schema with a key, descriptions included', async () => {
    const { ask } = await start();
    const response = await ask(getIntrospectionQuery({ inputValueDeprecation: true }));
    expect(response.headers.get('access-control-allow-origin')).toBe(EXPLORER);
    const { data } = await response.json();
    const schema = buildClientSchema(data);
    expect(schema.getType('PackInUse')?.description).toContain('what can be done');
  });

  test('is refused without a key, and may read the refusal', async () => {
    const { ask } = await start();
    const response = await ask(getIntrospectionQuery(), { key: null });
    expect(response.status).toBe(401);
    expect(response.headers.get('access-control-allow-origin')).toBe(EXPLORER);
    const { errors } = await response.json();
    expect(errors[0].extensions.code).toBe('UNAUTHENTICATED');
  });
});

describe('INTROSPECTION=off', () => {
  test('hides the schema', async () => {
    const { ask } = await start({ INTROSPECTION: 'off' });
    for (const query of [
      '{ __schema { queryType { name } } }',
      '{ __type(name: "Pack") { name } }',
      '{ _service { sdl } }',
    ]) {
      const response = await ask(query);
      expect(response.status).toBe(400);
      expect((await response.json()).errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    }
    expect(await (await ask('{ __typename }')).json()).toEqual({ data: { __typename: 'Query' } });
  });

  test('suggests no names for the values of variables', async () => {
    const { ask } = await start({ INTROSPECTION: 'off' });
    const query = 'query ($filter: PackFilter) { packs(filter: $filter) { totalCount } }';
    const { errors } = await (
      await ask(query, { variables: { filter: { nameContain: '' } } })
    ).json();
    expect(errors[0].message).toContain('"nameContain" is not defined');
    expect(errors[0].message).not.toMatch(/did you mean/i);
  });

  test.each([
    '{ viewerr { scopes } }',
    '{ pack(idd: "x") { name } }',
    '{ packs(filter: { nameContain: "x" }) { totalCount } }',
    '{ packs(filter: { tier: VERIFIEDD }) { totalCount } }',
    '{ node(id: "x") { ... on Packk { name } } }',
  ])('suggests no names either: %s', async (query) => {
    const { ask } = await start({ INTROSPECTION: 'off' });
    const { errors } = await (await ask(query)).json();
    expect(errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(JSON.stringify(errors)).not.toMatch(/did you mean/i);
    expect(JSON.stringify(errors)).not.toMatch(/"(?:viewer|nameContains|VERIFIED)"/);
  });

  test('with introspection on a typo is answered with the name meant', async () => {
    const { ask } = await start();
    expect(JSON.stringify(await (await ask('{ viewerr { scopes } }')).json())).toContain(
      'Did you mean',
    );
  });
});
