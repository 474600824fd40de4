/** Two replicas behind a balancer are restarted one after the other, while clients work. */
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, FormData, fetch, request } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { samplePack } from '../support/archives.ts';
import { createDatabase } from '../support/databases.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import type { Json } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { startServer } from '../support/server-process.ts';
import { temporaryDirectory } from './run.ts';

const POLL_EVERY_MS = 150;
const CLIENTS = 6;

const CREATE_ROLE = `mutation ($name: String!) { createAgentRole(input: { name: $name }) {
  __typename ... on CreatedAgentRole { role { id } }
} }`;
const UPLOAD = `mutation ($file: File!) { uploadPack(archive: $file) {
  __typename ... on UploadedPack { pack { id } }
} }`;
const ATTACH = `mutation ($role: ID!, $pack: ID!) { attachPack(roleId: $role, packId: $pack) { __typename } }`;
const DETACH = `mutation ($role: ID!, $pack: ID!) { detachPack(roleId: $role, packId: $pack) { __typename } }`;
const DELETE = `mutation ($pack: ID!) { deletePack(id: $pack) { __typename ... on DeletedPack { image } } }`;
const READ = `query ($pack: ID!) { pack(id: $pack) { name roles(first: 5) { totalCount } } }`;
const LIST = `{ packs(first: 10) { nodes { id name } } }`;

describe.skipIf(!installed('docker-registry'))('a rolling restart', () => {
  test('of two replicas, twice each, under load: no request fails, every exit is 0', {
    timeout: 180_000,
  }, async () => {
    const docker = await emptyDockerRegistry();
    const environment = {
      DATABASE_URL: await createDatabase(),
      REGISTRY_URL: docker.url.href,
      DATA_DIR: temporaryDirectory(),
    };
    const servers = await Promise.all([startServer(environment), startServer(environment)]);
    const balancer = createBalancer(servers.map(({ url }) => url));
    onTestFinished(() => balancer.close());
    await expect.poll(balancer.ready).toBe(2);

    let isOver = false;
    const clients = Array.from({ length: CLIENTS }, (_, number) =>
      work(balancer, number, () => isOver),
    );
    const load = Promise.all(clients);
    // What went wrong is told below; there is no point in going on.
    load.catch(() => {
      isOver = true;
    });
    const restarts: { code: number | null; inTime: boolean }[] = [];
    for (const place of [0, 1, 0, 1]) {
      if (isOver) break;
      const signalledAt = performance.now();
      const old = servers[place];
      old?.terminate();
      const code = old?.exited.then((exitCode) => {
        restarts.push({ code: exitCode, inTime: performance.now() - signalledAt < 15_000 });
      });
      // Its successor starts meanwhile, and gets requests once it is ready.
      const [next] = await Promise.all([startServer(environment), code]);
      servers[place] = next;
      balancer.replace(place, next.url);
      await expect.poll(balancer.ready).toBe(2);
    }
    isOver = true;
    await Promise.allSettled([load]);
    expect(balancer.failures).toEqual([]);
    expect(restarts).toEqual(Array(4).fill({ code: 0, inTime: true }));
    // Every client got through its whole list of operations while replicas came and went.
    expect(Math.min(...(await load))).toBeGreaterThan(1);
  });
});

/** Plays a caller that makes a role and then, again and again, the life of a pack; answers how many lives. */
async function work(balancer: Balancer, number: number, isOver: () => boolean): Promise<number> {
  const { role } = await balancer.graphql(CREATE_ROLE, { name: `role-${number}` });
  for (let round = 0; ; round++) {
    if (isOver()) return round;
    const { pack } = await balancer.upload(`pack-${number}-${round}`);
    const ids = { role: role.id, pack: pack.id };
    await balancer.graphql(LIST);
    for (const [query, answer] of [
      [ATTACH, { __typename: 'AttachedPack' }],
      [READ, { name: `pack-${number}-${round}`, roles: { totalCount: 1 } }],
      [DELETE, { __typename: 'PackInUse' }],
      [DETACH, { __typename: 'DetachedPack' }],
      [READ, { name: `pack-${number}-${round}`, roles: { totalCount: 0 } }],
      [DELETE, { __typename: 'DeletedPack', image: 'PURGED' }],
    ] as const) {
      expect(await balancer.graphql(query, ids)).toEqual(answer);
      await pause(20);
    }
  }
}

type Balancer = ReturnType<typeof createBalancer>;

/** Round robin over connections that are kept alive, to those replicas that said "ready" when they were last asked. */
function createBalancer(urls: readonly string[]) {
  const places = urls.map((url) => ({ url, isReady: false, agent: new Agent() }));
  const failures: string[] = [];
  let turn = 0;
  const closing = new AbortController();
  const poll = async (place: (typeof places)[number]) => {
    while (!closing.signal.aborted) {
      const { url } = place;
      const isReady = await request(`${url}/readyz`).then(
        ({ statusCode, body }) => body.dump().then(() => statusCode === 200),
        () => false,
      );
      if (place.url === url) place.isReady = isReady;
      await pause(POLL_EVERY_MS);
    }
  };
  const polling = places.map(poll);

  async function send(headers: Record<string, string>, body: string | FormData): Promise<Json> {
    const ready = places.filter(({ isReady }) => isReady);
    const place = ready[turn++ % ready.length];
    if (place === undefined) throw failure('no replica is ready');
    const { url, agent: dispatcher } = place;
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${OWNER_KEY}` },
      body,
      dispatcher,
    }).catch((error: Error) => {
      throw failure(String(error.cause ?? error));
    });
    const answer: Json = await response.json();
    if (response.status !== 200 || answer.errors !== undefined) {
      throw failure(`${response.status} ${JSON.stringify(answer)}`);
    }
    return Object.values(answer.data)[0];
  }

  function failure(what: string): Error {
    failures.push(what);
    return new Error(what);
  }

  return {
    failures,
    ready: () => places.filter(({ isReady }) => isReady).length,
    graphql: (query: string, variables: object = {}) =>
      send({ 'content-type': 'application/json' }, JSON.stringify({ query, variables })),
    upload(name: string) {
      const body = new FormData();
      body.set('operations', JSON.stringify({ query: UPLOAD, variables: { file: null } }));
      body.set('map', JSON.stringify({ file: ['variables.file'] }));
      body.set('file', new File([new Uint8Array(samplePack({ name }))], 'pack.tar.gz'));
      return send({}, body);
    },
    /** Another process at a place; it gets nothing before it is ready. */
    replace(index: number, url: string) {
      const place = places[index];
      if (place !== undefined) Object.assign(place, { url, isReady: false });
    },
    async close() {
      closing.abort();
      await Promise.all(polling);
      await Promise.all(places.map(({ agent }) => agent.destroy()));
    },
  };
}
