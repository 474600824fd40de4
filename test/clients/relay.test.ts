/** Relay keeps every object by its id: what an answer calls `id` is that record, and no other. */
import {
  ConnectionHandler,
  commitMutation,
  createOperationDescriptor,
  type Environment,
  fetchQuery,
  ROOT_ID,
} from 'relay-runtime';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { change } from '../packs/changes.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { compileForRelay, readFromStore, relayEnvironment } from '../support/relay.ts';

const DOCUMENTS = `
  query AppPacksQuery($first: Int, $after: String, $last: Int, $before: String) {
    packs(first: $first, after: $after, last: $last, before: $before)
      @connection(key: "App_packs") {
      edges { node { id name ...App_pack } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
  fragment App_pack on Pack @refetchable(queryName: "AppPackQuery") {
    name
    visibility
    roles(first: 10) { totalCount nodes { id name } }
  }
  mutation AppDeletePackMutation($id: ID!, $connections: [ID!]!) {
    deletePack(id: $id) {
      __typename
      ... on DeletedPack {
        # Of the edge first: Relay finds it by the record that it leads to.
        edge: deletedPackId @deleteEdge(connections: $connections)
        deletedPackId @deleteRecord
        name
        image
      }
      ... on PackInUse { pack { id name } roles(first: 5) { nodes { id name } } }
      ... on Error { code message }
    }
  }
`;

let artifacts: Awaited<ReturnType<typeof compileForRelay>>;
beforeAll(async () => {
  artifacts = await compileForRelay(DOCUMENTS);
});

function artifact(name: string) {
  const found = artifacts.get(name);
  if (found === undefined) throw new Error(`relay-compiler wrote no ${name}`);
  return found;
}

/** A gateway with packs `pack-1` (the oldest) to `pack-5`, and a store; what Relay warns of fails the test. */
async function start() {
  const warnings = [vi.spyOn(console, 'error'), vi.spyOn(console, 'warn')];
  const gateway = await startGateway({ database: 'postgres' });
  const ids: string[] = [];
  for (const n of [1, 2, 3, 4, 5]) ids.push((await gateway.pack(`pack-${n}`)).id);
  const environment = relayEnvironment(gateway);
  onTestFinished(() => {
    for (const warning of warnings) {
      expect(warning).not.toHaveBeenCalled();
      warning.mockRestore();
    }
  });
  return { gateway, environment, ids };
}

async function fetchPage(environment: Environment, variables: object): Promise<Json> {
  const request = artifact('AppPacksQuery');
  const { dispose } = environment.retain(createOperationDescriptor(request, { ...variables }));
  onTestFinished(dispose);
  await fetchQuery(environment, request, { ...variables }).toPromise();
  return readFromStore(environment, request, variables).packs;
}

const namesIn = ({ edges }: { edges: Json[] }) => edges.map(({ node }) => node.name);

function deletePack(environment: Environment, id: string): Promise<Json> {
  const connections = [ConnectionHandler.getConnectionID(ROOT_ID, 'App_packs')];
  return new Promise((resolve, reject) => {
    commitMutation(environment, {
      mutation: artifact('AppDeletePackMutation'),
      variables: { id, connections },
      onCompleted: ({ deletePack: answer }, errors) =>
        errors == null ? resolve(answer) : reject(new Error(JSON.stringify(errors))),
      onError: reject,
    });
  });
}

test('pages that are fetched forwards and backwards become one list', async () => {
  const { gateway, environment } = await start();
  const newest = await fetchPage(environment, { first: 2 });
  expect(namesIn(newest)).toEqual(['pack-5', 'pack-4']);
  expect(newest.pageInfo.hasNextPage).toBe(true);
  const all = await fetchPage(environment, { first: 3, after: newest.pageInfo.endCursor });
  expect(namesIn(all)).toEqual(['pack-5', 'pack-4', 'pack-3', 'pack-2', 'pack-1']);
  expect(all.pageInfo.hasNextPage).toBe(false);

  const fresh = relayEnvironment(gateway);
  const oldest = await fetchPage(fresh, { last: 2 });
  expect(namesIn(oldest)).toEqual(['pack-2', 'pack-1']);
  expect(oldest.pageInfo.hasPreviousPage).toBe(true);
  const upwards = await fetchPage(fresh, { last: 3, before: oldest.pageInfo.startCursor });
  expect(namesIn(upwards)).toEqual(['pack-5', 'pack-4', 'pack-3', 'pack-2', 'pack-1']);
  expect(upwards.pageInfo.hasPreviousPage).toBe(false);
});

test('a deleted pack leaves the store with its edge, and the answer is not lost', async () => {
  const { environment, ids } = await start();
  await fetchPage(environment, { first: 5 });
  const [, id = ''] = ids;
  expect(environment.getStore().getSource().getStatus(id)).toBe('EXISTENT');
  expect(await deletePack(environment, id)).toEqual({
    __typename: 'DeletedPack',
    deletedPackId: id,
    edge: id,
    name: 'pack-2',
    image: 'PURGED',
  });
  expect(environment.getStore().getSource().getStatus(id)).toBe('NONEXISTENT');
  const { packs } = readFromStore(environment, artifact('AppPacksQuery'), { first: 5 });
  expect(namesIn(packs)).toEqual(['pack-5', 'pack-4', 'pack-3', 'pack-1']);
});

test('a pack that is in use stays in the store, and so do the roles that hold it', async () => {
  const { gateway, environment, ids } = await start();
  await fetchPage(environment, { first: 5 });
  const [id = ''] = ids;
  const { role } = await change(gateway, 'createAgentRole', {
    input: { name: 'on-call', packIds: [id] },
  });
  expect(await deletePack(environment, id)).toMatchObject({
    __typename: 'PackInUse',
    code: 'PACK_IN_USE',
    pack: { id, name: 'pack-1' },
    roles: { nodes: [{ id: role.id, name: 'on-call' }] },
  });
  const source = environment.getStore().getSource();
  expect([source.getStatus(id), source.getStatus(role.id)]).toEqual(['EXISTENT', 'EXISTENT']);
});

test('a pack is fetched anew by its id, into the record that the list shows', async () => {
  const { gateway, environment, ids } = await start();
  await fetchPage(environment, { first: 5 });
  const [id = ''] = ids;
  await share(gateway, id);
  await fetchQuery(environment, artifact('AppPackQuery'), { id }).toPromise();
  expect(environment.getStore().getSource().get(id)).toMatchObject({
    name: 'pack-1',
    visibility: 'COMMUNITY',
  });
});

const share = (gateway: Gateway, id: string) =>
  change(gateway, 'updatePackVisibility', { id, visibility: 'COMMUNITY' });
