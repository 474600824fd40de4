/** What a caller sent is quoted in messages to him, once or a few times; he must not be able to make a flood of it. */
import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { Documents } from '../../src/graphql/documents.ts';
import { startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const repeat = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => make(index)).join(' ');
const keys = (count: number, prefix = 'k') =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, 1]));

const FILTERED = 'query ($filter: PackFilter) { packs(filter: $filter) { nodes { id } } }';
const CREATE = `mutation ($ids: [ID!]!) {
  ${repeat(10, (at) => `c${at}: createAgentRole(input: { name: "r${at}", packIds: $ids }) { ...P }`)}
}
fragment P on CreateAgentRoleResult {
  __typename ... on Error { message details } ... on ValidationFailed { fields { path message } }
}`;

/** Requests that are refused, or answered with problems, each of them as large as a request may be. */
const requests: Record<string, { readonly query: string; readonly variables?: object }> = {
  'an object with 90,000 fields that nobody knows': {
    query: FILTERED,
    variables: { filter: keys(90_000) },
  },
  'an object with 60 long fields that nobody knows': {
    query: FILTERED,
    variables: { filter: keys(60, 'x'.repeat(15_000)) },
  },
  'many objects with many faults': {
    query:
      'query ($ids: [ID!]!) { packs { nodes { id } } _entities(representations: []) { __typename } }',
    variables: { ids: Array.from({ length: 900 }, () => keys(100)) },
  },
  'a long text for a number': {
    query: 'query ($n: Int) { packs(first: $n) { nodes { id } } }',
    variables: { n: '\\'.repeat(500_000) },
  },
  'a long text for an enum value': {
    query: FILTERED,
    variables: { filter: { tier: '"'.repeat(500_000) } },
  },
  'long ids of packs that are not there': {
    query: CREATE,
    variables: { ids: Array.from({ length: 500 }, () => '\\'.repeat(900)) },
  },
  'a long name of a field': { query: `{ ${'x'.repeat(60_000)} }` },
  'many names of fields': { query: `{ ${repeat(900, (at) => `nothing${at}`)} }` },
  'a long name of a variable': { query: `query ($${'x'.repeat(60_000)}: Int) { __typename }` },
  'a long name where none may be': { query: `{ a ] ${'x'.repeat(60_000)}` },
  'a long text where none may be': { query: `{ a "${'x'.repeat(60_000)}" }` },
  'a list of what are no entities': {
    query: 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }',
    variables: { r: Array.from({ length: 1_000 }, () => ({ __typename: 'x'.repeat(500), id: 1 })) },
  },
  'long ids': {
    query:
      'query ($id: ID!) { node(id: $id) { id } pack(id: $id) { id } agentRole(id: $id) { id } }',
    variables: { id: 'pack_'.repeat(100_000) },
  },
  'a long cursor': {
    query: 'query ($after: String) { packs(after: $after) { nodes { id } } }',
    variables: { after: 'x'.repeat(900_000) },
  },
};

test.each(Object.entries(requests))('%s: the answer is short', async (_name, request) => {
  const { app } = await startGateway({ database: 'postgres' });
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${OWNER_KEY}` };
  const body = JSON.stringify(request);
  expect(body.length).toBeLessThan(1024 ** 2);
  const answer = await app.fetch(
    new Request('http://gateway/graphql', { method: 'POST', headers, body }),
  );
  expect(answer.status).toBeLessThan(500);
  const text = await answer.text();
  expect(text.length).toBeLessThan(512 * 1024);
  for (const { message } of JSON.parse(text).errors ?? []) {
    expect(message.length).toBeLessThan(1_000);
  }
});

test('what is long is cut; where something is wrong, and what, is still said', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const variables = { filter: { category: { text: 'x'.repeat(5_000) } } };
  const { errors } = await gateway.graphql(FILTERED, variables);
  expect(errors[0].message).toMatch(
    /^Variable "\$filter" got invalid value \{ text: "x+… .*at "filter\.category"; String cannot represent a non string value: \{ text: "x+…/,
  );
});

test('documents are kept by the memory that they take, not by their number', () => {
  const documents = new Documents();
  const keep = (text: string) => documents.cache.documentCache.set(text, parse(text));
  const long = (at: number) => `{ ${`a${at} `.repeat(1_900)} }`;
  keep('{ first }');
  for (let at = 0; at < 1_000; at++) keep(`{ short${at} }`);
  expect(documents.cache.documentCache.get('{ first }')).toBeDefined();
  for (let at = 0; at < 20; at++) keep(long(at));
  expect(documents.cache.documentCache.get(long(19))).toBeDefined();
  expect(documents.cache.documentCache.get(long(0))).toBeUndefined();
  expect(documents.cache.documentCache.get('{ first }')).toBeUndefined();
});
