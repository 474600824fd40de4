import { randomUUID } from 'node:crypto';
import { request as send } from 'node:http';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

/** More often than anything that is kept of an operation needs to be asked for. */
const TIMES = 3;

interface Answer {
  readonly status: number | undefined;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

describe('an operation that comes again', () => {
  let gateway: Gateway;
  let origin: string;
  beforeEach(async () => {
    gateway = await startGateway({ database: 'postgres' });
    origin = await listening(gateway);
  });

  /** Everything of an answer but what differs from request to request. */
  function post(body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      const request = send(`${origin}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          authorization: `Bearer ${OWNER_KEY}`,
          ...headers,
        },
      });
      request.once('error', reject);
      request.once('response', (response) => {
        const { 'x-request-id': requestId, date: _date, ...rest } = response.headers;
        let answer = '';
        response.on('data', (chunk: Buffer) => {
          answer += chunk.toString();
        });
        response.once('end', () =>
          resolve({
            status: response.statusCode,
            headers: rest,
            body: answer.replaceAll(String(requestId), '<request id>'),
          }),
        );
      });
      request.end(text);
    });
  }

  /** Checks that all answers are like the one to a text that has never come before. */
  async function answersTo(body: unknown, headers?: Record<string, string>): Promise<Answer> {
    const first = await post(asNew(body), headers);
    for (let time = 0; time < TIMES; time++) expect(await post(body, headers)).toEqual(first);
    return first;
  }

  /** A comment at the end moves nothing. */
  const asNew = (body: unknown) =>
    typeof body === 'object' && body !== null && 'query' in body
      ? { ...body, query: `${body.query} # ${randomUUID()}` }
      : body;

  const PACK = `query Pack($id: ID!) { pack(id: $id) { id name roles { nodes { id } } } }`;

  test('is answered as it was at first, whatever it is', async () => {
    const pack = await gateway.pack('pack');
    const key = await gateway.key('READ_ONLY');
    const asReader = { authorization: `Bearer ${key}` };
    const list = `query List($first: Int, $filter: PackFilter) { packs(first: $first, filter: $filter) {
      nodes { id name owned createdAt sizeBytes suggestedPacks } pageInfo { hasNextPage endCursor } } }`;
    const attach = `mutation Attach($pack: ID!) {
      attachPack(roleId: "role_0190b5a0-0000-7000-8000-000000000000", packId: $pack) {
        __typename ... on Error { code message requestId details } } }`;

    const data = await answersTo({ query: PACK, variables: { id: pack.id } });
    expect(data).toMatchObject({ status: 200, body: expect.stringContaining(pack.id) });
    await answersTo({ query: PACK, variables: { id: 'pack_nobody' }, operationName: 'Pack' });
    await answersTo({ query: list, variables: { first: 2, filter: { owned: true } } });
    await answersTo({ query: list, variables: { filter: { nameContains: 'ac', status: null } } });
    await answersTo({ query: attach, variables: { pack: pack.id } });
    const denied = await answersTo({ query: attach, variables: { pack: pack.id } }, asReader);
    expect(denied).toMatchObject({
      status: 200,
      body: expect.stringContaining('PERMISSION_DENIED'),
    });
    await answersTo({
      query: '{ viewer { scopes org { slug } } auditEvents { nodes { id type } } }',
    });
    await answersTo({ query: '{ __schema { types { name } } a: __typename }' });
  });

  test('is answered with the same errors', async () => {
    const { id } = await gateway.pack('pack');
    const asReader = { authorization: `Bearer ${await gateway.key('READ_ONLY')}` };
    const keys = 'query Keys { viewer { org { slug } } apiKeys { nodes { id } } }';
    const denied = await answersTo({ query: keys }, asReader);
    expect(denied.body).toContain('"path":["apiKeys"]');
    expect(JSON.parse(denied.body).errors[0].locations).toHaveLength(1);
    const cursor = 'query Page($after: String) { packs(after: $after) { nodes { id } } }';
    expect((await answersTo({ query: cursor, variables: { after: 'x' } })).body).toContain(
      'errors',
    );

    const { database } = gateway.app.world;
    await database.query(
      'update packs set size_bytes = 1152921504606846976 where org_id is not null',
      [],
    );
    const size = 'query Size($id: ID!) { pack(id: $id) { sizeBytes } }';
    const unfit = await answersTo({ query: size, variables: { id } });
    expect(JSON.parse(unfit.body).errors).toMatchObject([
      { path: ['pack', 'sizeBytes'], extensions: { code: 'INTERNAL_ERROR' } },
    ]);
    expect(unfit.body).not.toContain('1152921504606846976');

    await database.query('alter table agent_roles rename to away', []);
    const broken = await answersTo({ query: PACK, variables: { id } });
    expect(JSON.parse(broken.body)).toMatchObject({
      errors: [{ path: ['pack', 'roles', 'nodes'], extensions: { code: 'INTERNAL_ERROR' } }],
    });
    expect(broken.body).not.toContain('agent_roles');
  });

  test('is answered alike where a variable is missing, null, of another type or oddly named', async () => {
    const { id } = await gateway.pack('pack');
    const texts = [
      PACK,
      'query A($id: ID!, $include: Boolean!) { pack(id: $id) { id name @include(if: $include) } }',
      'query B($id: ID!, $include: Boolean = true) { pack(id: $id) { id name @skip(if: $include) } }',
      'query C($first: Int, $after: String) { packs(first: $first, after: $after) { nodes { id } } }',
      'query D($category: String) { packs(filter: { category: $category }) { nodes { id } } }',
      'query M($include: Boolean = true) { viewer @include(if: $include) { scopes } }',
      'query E($origin: ImageOrigin!) { packs(filter: { imageOrigin: $origin }) { nodes { id } } }',
      'query F($archived: Boolean) { agentRoles(includeArchived: $archived) { nodes { id } } }',
      'query G($since: DateTime!) { auditEvents(filter: { since: $since }) { nodes { id } } }',
      'query H($constructor: ID!) { pack(id: $constructor) { __proto__: id toString: name } }',
      'query I($id: ID!) { node(id: $id) { __typename id ... on Pack { name } } }',
      'query J($id: ID!) { pack(id: $id) { ... on Node { id } ...P } } fragment P on Pack { name }',
      'query K($of: [_Any!]!) { _entities(representations: $of) { ... on Pack { name } } }',
      `query L($id: ID!) { _entities(representations: [{ __typename: "Pack", id: $id }]) {
        __typename ... on Pack { name } } }`,
    ];
    const values = [undefined, null, 7, '2', true, [id], 'UPLOAD', '2026-01-01'];
    for (const query of texts) {
      const [, name = ''] = /\$(\w+)[^$]*\)\s*\{/.exec(query) ?? [];
      for (const value of values) {
        await answersTo({ query, variables: { id, [name]: value } });
      }
      await answersTo({ query, variables: { id, of: [{ __typename: 'Pack', id }] } });
    }
  });

  test('is refused as it was at first', async () => {
    const { id } = await gateway.pack('pack');
    const query = `query Pack($id: ID!, $first: Int) { pack(id: $id) { roles(first: $first) { nodes { id } } } }`;
    await answersTo({ query, variables: { id } });

    const tooMuch = await answersTo({ query, variables: { id, first: 201 } });
    expect(tooMuch).toMatchObject({
      status: 400,
      body: expect.stringContaining('GRAPHQL_LIMIT_EXCEEDED'),
    });
    const missing = await answersTo({ query });
    expect(missing.body).toContain('BAD_REQUEST');
    await answersTo({ query, variables: { id, first: 'two' } });
    await answersTo({ query, variables: [id] });
    await answersTo({ query, variables: { id }, operationName: 'Other' });
    await answersTo({ query, variables: { id }, surprise: true });
    await answersTo({ query, variables: { id }, extensions: 'none' });
    await answersTo([{ query, variables: { id } }]);
    await answersTo(`{"query": ${JSON.stringify(query)}, `);
    const nobody = await answersTo({ query, variables: { id } }, { authorization: 'Bearer sk_no' });
    expect(nobody).toMatchObject({ status: 401, body: expect.stringContaining('UNAUTHENTICATED') });
  });

  test('is answered in the media type that the client likes best, and to the origin that asks', async () => {
    const { id } = await gateway.pack('pack');
    const body = { query: PACK, variables: { id } };
    const accepted = [
      '*/*',
      'application/json',
      'application/graphql-response+json',
      'application/graphql-response+json, application/json;q=0.9',
      'application/json, application/graphql-response+json',
      'application/graphql-response+json, application/json, text/event-stream, multipart/mixed',
      'multipart/mixed;deferSpec=20220824, application/json',
      'application/*',
      'APPLICATION/JSON',
      'application/json; charset=utf-8',
      'application/json; charset=latin1',
      'text/html, */*;q=0.1',
      'text/plain',
    ];
    for (const accept of accepted) await answersTo(body, { accept });
    for (const origin of ['https://studio.apollographql.com', 'https://evil.example']) {
      await answersTo(body, { origin });
    }
  });

  test('is logged, counted and refused to a revoked key as any other', async () => {
    const { id } = await gateway.pack('pack');
    const key = await gateway.key('READ_ONLY');
    const headers = { authorization: `Bearer ${key}` };
    await answersTo({ query: PACK, variables: { id } }, headers);
    const lines = gateway.logs.filter(
      ({ msg, operation }) => msg === 'request' && operation === 'query pack',
    );
    expect(lines).toHaveLength(TIMES + 1);
    for (const line of lines) {
      expect(line).toMatchObject({ method: 'POST', route: 'graphql', outcome: 'ok', status: 200 });
      expect(Object.keys(line)).toEqual(Object.keys(lines[0] ?? {}));
    }
    await gateway.app.world.database.query(
      'update api_keys set revoked_at = now() where org_id = $1 and permission_set = $2',
      [lines[0]?.org.slice('org_'.length), 'READ_ONLY'],
    );
    expect((await post({ query: PACK, variables: { id } }, headers)).status).toBe(401);
  });
});
