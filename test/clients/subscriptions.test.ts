/** The clients that people subscribe with, as they are published. */
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';
import { createClient } from 'graphql-sse';
import { expect, onTestFinished, test } from 'vitest';
import { change } from '../packs/changes.ts';
import { openStreams } from '../support/event-stream.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';

const QUERY =
  'subscription Watch($types: [AuditEventType!]) { packEvents(types: $types) { type packId pack { id name } } }';
const UNAUTHENTICATED = expect.objectContaining({
  extensions: expect.objectContaining({ code: 'UNAUTHENTICATED' }),
});

/** A gateway that listens, with a key that can be revoked. */
async function start() {
  const gateway = await startGateway({ database: 'postgres' });
  const url = `${await listening(gateway)}/graphql`;
  const key = await gateway.key('READ_ONLY');
  const { data } = await gateway.graphql('{ viewer { apiKey { id } } }', {}, key);
  const revoke = () => change(gateway, 'revokeApiKey', { id: data.viewer.apiKey.id });
  return { gateway, url, headers: { authorization: `Bearer ${key}` }, revoke };
}

/** What a client is told, in order. */
function heard() {
  const told: Json[] = [];
  const ended = Promise.withResolvers<Json>();
  return { told, ended: ended.promise, end: ended.resolve };
}

/** Waits until the database announces events; a client does not tell when its stream has begun. */
async function listenedTo(gateway: Gateway): Promise<void> {
  await expect
    .poll(() => gateway.app.world.database.query('select from event_listeners', []))
    .toHaveLength(1);
}

/** Two packs are made, of which the client hears; then the key goes, and he hears of that as well. */
async function expectTold(gateway: Gateway, told: readonly Json[]): Promise<void> {
  await listenedTo(gateway);
  for (const name of ['one', 'two']) await gateway.pack(name);
  await expect
    .poll(() => told)
    .toMatchObject(
      ['one', 'two'].map((name) => ({
        data: { packEvents: { type: 'PACK_UPLOADED', pack: { name } } },
      })),
    );
}

test("Apollo Client's HttpLink subscribes, hears every event and the error that ends it", async () => {
  const { gateway, url, headers, revoke } = await start();
  const client = new ApolloClient({
    link: new HttpLink({ uri: url, headers }),
    cache: new InMemoryCache(),
  });
  onTestFinished(() => client.stop());
  const { told, ended, end } = heard();
  client.subscribe({ query: gql(QUERY) }).subscribe({
    next: (result) => (result.error === undefined ? told.push(result) : end(result.error)),
    error: end,
  });
  await expectTold(gateway, told);
  await revoke();
  expect((await ended).errors).toEqual([UNAUTHENTICATED]);
  await openStreams(gateway, 0);
});

test('Apollo Client leaves, and is forgotten; one that is refused is told why', async () => {
  const { gateway, url, headers } = await start();
  const client = new ApolloClient({
    link: new HttpLink({ uri: url, headers }),
    cache: new InMemoryCache(),
  });
  onTestFinished(() => client.stop());
  const one = client.subscribe({ query: gql(QUERY) }).subscribe(() => undefined);
  await openStreams(gateway, 1);
  one.unsubscribe();
  await openStreams(gateway, 0);
  const { ended, end } = heard();
  client
    .subscribe({ query: gql(QUERY), variables: { types: ['API_KEY_CREATED'] } })
    .subscribe({ next: ({ error }) => end(error), error: end });
  expect(JSON.stringify(await ended)).toContain('BAD_REQUEST');
});

test('urql subscribes by fetch', async () => {
  const { gateway, url, headers } = await start();
  const client = new Client({
    url,
    fetchOptions: { headers },
    fetchSubscriptions: true,
    exchanges: [fetchExchange],
    preferGetMethod: false,
  });
  const { told } = heard();
  const { unsubscribe } = client
    .subscription(QUERY, {})
    .subscribe(({ data, error }) => told.push({ data, error }));
  await expectTold(gateway, told);
  unsubscribe();
  await openStreams(gateway, 0);
});

test('graphql-sse subscribes with distinct connections, with whatever its operation carries', async () => {
  const { gateway, url, headers, revoke } = await start();
  const client = createClient({ url, headers, retryAttempts: 0 });
  const { told, ended, end } = heard();
  const operation = { operationName: 'Watch', query: QUERY, variables: {}, extensions: {} };
  const stop = client.subscribe(operation, {
    next: (result) => (result.errors === undefined ? told.push(result) : end(result.errors)),
    error: end,
    complete: () => undefined,
  });
  onTestFinished(stop);
  await expectTold(gateway, told);
  await revoke();
  expect(await ended).toEqual([UNAUTHENTICATED]);
});
