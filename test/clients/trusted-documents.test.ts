import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';

const documents = {
  named: '{ viewer { org { slug } } }',
  bare: 'query Packs($first: Int) { packs(first: $first) { totalCount } }',
};
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** As graphql-codegen writes it, and as other tools do: with and without the algorithm's name. */
const listed = {
  [`sha256:${sha256(documents.named)}`]: documents.named,
  [sha256(documents.bare)]: documents.bare,
};

async function start(list: Record<string, string> = listed): Promise<Gateway> {
  const directory = mkdtempSync(join(tmpdir(), 'trusted-documents-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const TRUSTED_DOCUMENTS = join(directory, 'documents.json');
  writeFileSync(TRUSTED_DOCUMENTS, JSON.stringify(list));
  return startGateway({ database: 'postgres', environment: { TRUSTED_DOCUMENTS } });
}

async function send(gateway: Gateway, body: object): Promise<{ status: number; body: Json }> {
  return gateway.rest('POST', '/graphql', { json: body });
}

const slug = { status: 200, body: { data: { viewer: { org: { slug: 'default' } } } } };

test('a document of the list runs by its documentId, named with or without the algorithm', async () => {
  const gateway = await start();
  const hash = sha256(documents.named);
  expect(await send(gateway, { documentId: `sha256:${hash}` })).toMatchObject(slug);
  expect(await send(gateway, { documentId: hash })).toMatchObject(slug);
  const withVariables = { documentId: `sha256:${sha256(documents.bare)}`, variables: { first: 1 } };
  expect((await send(gateway, withVariables)).body).toEqual({ data: { packs: { totalCount: 0 } } });
});

test("a document of the list runs by the hash of Apollo's persisted queries, by POST and by GET", async () => {
  const gateway = await start();
  const extensions = { persistedQuery: { version: 1, sha256Hash: sha256(documents.named) } };
  expect(await send(gateway, { extensions })).toMatchObject(slug);
  const query = new URLSearchParams({ extensions: JSON.stringify(extensions) });
  expect(await gateway.rest('GET', `/graphql?${query}`)).toMatchObject(slug);
});

test('a document that comes again is answered the same, and one off the list is still refused', async () => {
  const gateway = await start();
  const document = { documentId: sha256(documents.named) };
  for (let time = 0; time < 4; time++) expect(await send(gateway, document)).toMatchObject(slug);
  for (const refused of [{ query: documents.named }, { ...document, query: '{ __typename }' }]) {
    const { body } = await send(gateway, refused);
    expect(body.errors[0].extensions.code).toBe('DOCUMENT_NOT_TRUSTED');
  }
});

test('a hash that is not on the list is answered in the words at which clients send the text', async () => {
  const gateway = await start();
  const extensions = { persistedQuery: { version: 1, sha256Hash: sha256('other') } };
  expect(await send(gateway, { extensions })).toMatchObject({
    status: 200,
    body: {
      errors: [
        { message: 'PersistedQueryNotFound', extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } },
      ],
    },
  });
});

const hash = sha256(documents.named);
test.each<[string, object]>([
  ['a text', { query: '{ __typename }' }],
  ['a text that is on the list', { query: documents.named }],
  ['a text beside the hash of another', { query: '{ packs { totalCount } }', documentId: hash }],
  [
    'a text to be registered under its hash',
    {
      query: '{ __typename }',
      extensions: { persistedQuery: { version: 1, sha256Hash: sha256('{ __typename }') } },
    },
  ],
  ['an unknown documentId', { documentId: sha256('other') }],
  ['nothing at all', {}],
  ['introspection', { query: '{ __schema { queryType { name } } }' }],
])('%s is refused with a code', async (_what, body) => {
  const gateway = await start();
  const { status, body: answer } = await send(gateway, body);
  expect(status).toBe(400);
  expect(answer.data).toBeUndefined();
  expect(answer.errors[0].extensions).toMatchObject({
    code: 'DOCUMENT_NOT_TRUSTED',
    requestId: expect.stringMatching(/./),
  });
});

test('a hash does not stand for a caller', async () => {
  const gateway = await start();
  const answer = await gateway.rest('POST', '/graphql', { key: null, json: { documentId: hash } });
  expect(answer.status).toBe(401);
});

test('a mutation of the list is still refused by GET', async () => {
  const text = 'mutation { archiveAgentRole(id: "role_1") { __typename } }';
  const gateway = await start({ [sha256(text)]: text });
  const extensions = JSON.stringify({ persistedQuery: { version: 1, sha256Hash: sha256(text) } });
  const answer = await gateway.rest('GET', `/graphql?${new URLSearchParams({ extensions })}`);
  expect(answer.status).toBe(405);
});

test('without TRUSTED_DOCUMENTS a documentId is no parameter', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const answer = await send(gateway, { documentId: hash });
  expect(answer.status).toBe(400);
  expect(answer.body.errors[0].extensions.code).toBe('BAD_REQUEST');
});
