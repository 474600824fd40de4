/** What callers ask for in a soak, by chance: mostly reads, and a bit of everything that could leave something behind. */
import type { Random } from '../chaos/random.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { type Client, MULTIPART, type Reply } from './client.ts';

/** What stands in the database all the while. */
export interface Stock {
  readonly packs: readonly [string, ...string[]];
  readonly roles: readonly [string, ...string[]];
  /** Of every role; so its deletion is refused. */
  readonly packInUse: string;
  readonly readOnlyKey: string;
}

export interface Turn {
  readonly client: Client;
  readonly random: Random;
  readonly stock: Stock;
  /** Unique in the run. */
  readonly number: number;
}

/** One kind of request, or a short story of several. */
interface Kind {
  readonly name: string;
  /** Of 1,000 turns, how many. */
  readonly weight: number;
  /** Documents that were never sent before. */
  readonly isNovel?: boolean;
  /** How many requests a turn of it is. */
  readonly requests?: number;
  /** @throws Error where an answer is not what it must be */
  readonly run: (turn: Turn) => Promise<void>;
}

const PACK = `query ($id: ID!) { pack(id: $id) {
  id name displayName version tier imageRef sizeBytes roles(first: 5) { nodes { id name } } } }`;
const PACKS = `query ($first: Int, $name: String) { packs(first: $first, filter: { nameContains: $name }) {
  totalCount pageInfo { hasNextPage endCursor }
  nodes { id name imageRef roles(first: 5) { nodes { id name packs(first: 3) { nodes { id } } } } } } }`;
const UPLOAD = `mutation ($archive: File!) { result: uploadPack(archive: $archive) {
  __typename ... on UploadedPack { pack { id } } ... on Error { code message } } }`;
const ATTACH = `mutation ($role: ID!, $pack: ID!) { result: attachPack(roleId: $role, packId: $pack) {
  __typename ... on AttachedPack { role { name } } ... on Error { code } } }`;
const DETACH = `mutation ($role: ID!, $pack: ID!) { result: detachPack(roleId: $role, packId: $pack) {
  __typename ... on Error { code } } }`;
const DELETE = `mutation ($pack: ID!) { result: deletePack(id: $pack) {
  __typename ... on DeletedPack { image } ... on PackInUse { roles(first: 5) { nodes { name } } } ... on Error { code } } }`;
const RENAME = `mutation ($role: ID!, $text: String!) {
  result: updateAgentRole(id: $role, input: { description: $text }) { __typename ... on Error { code } } }`;

const TIMES_TO_BE_COMPILED = 6;

/** Sends a document that no other has the alias of, often enough for it to be compiled. */
export async function askOften(client: Client, alias: string, stock: Stock): Promise<void> {
  const query = `query ($id: ID!) { ${alias}: pack(id: $id) { name roles(first: 3) { nodes { id } } } }`;
  for (let times = 0; times < TIMES_TO_BE_COMPILED; times++) {
    expect(await client.graphql(OWNER_KEY, query, { id: stock.packInUse }), 200, `"${alias}"`);
  }
}

const kinds: readonly Kind[] = [
  {
    name: 'one pack',
    weight: 300,
    run: async ({ client, random, stock }) =>
      expect(
        await client.graphql(OWNER_KEY, PACK, { id: random.pick(stock.packs) }),
        200,
        '"name"',
      ),
  },
  {
    name: 'list of packs',
    weight: 100,
    run: async ({ client, random }) => {
      const variables = { first: random.between(1, 50), name: random.pick(['stock', 'o', '%']) };
      expect(await client.graphql(OWNER_KEY, PACKS, variables), 200, '"totalCount"');
    },
  },
  {
    name: 'new document',
    isNovel: true,
    weight: 80,
    run: async ({ client, random, stock, number }) => {
      const document = `query Q${number} { a${number}: pack(id: "${random.pick(stock.packs)}") { name } }`;
      expect(await client.graphql(OWNER_KEY, document), 200, `"a${number}"`);
    },
  },
  {
    name: 'document of an hour',
    isNovel: true,
    weight: 20,
    requests: TIMES_TO_BE_COMPILED,
    run: ({ client, stock, number }) => askOften(client, `b${number}`, stock),
  },
  {
    name: 'REST',
    weight: 150,
    run: async ({ client, random, stock }) => {
      const path = random.pick([
        `/v1/packs/${random.pick(stock.packs)}`,
        '/v1/packs?limit=20&owned=true',
        `/v1/agent-roles/${random.pick(stock.roles)}`,
        '/v1/agent-roles?limit=10',
        '/v1/audit?limit=10',
      ]);
      expect(await client.send({ method: 'GET', path, token: OWNER_KEY }), 200, '_at"');
    },
  },
  {
    name: 'refused',
    weight: 80,
    run: async ({ client, random, stock, number }) => {
      const [token, pack, mark] = random.pick([
        [OWNER_KEY, stock.packInUse, 'PACK_IN_USE'],
        [stock.readOnlyKey, stock.packInUse, 'PERMISSION_DENIED'],
        [OWNER_KEY, `pack_${number}`, 'PACK_NOT_FOUND'],
      ]);
      expect(await client.graphql(token, DELETE, { pack }), 200, mark);
    },
  },
  {
    name: 'unauthenticated',
    weight: 80,
    run: async ({ client, random, number }) => {
      const token = random.pick([null, `sk_${number}${'x'.repeat(32)}`, 'sk_always-the-same']);
      const reply =
        random.next() < 0.5
          ? await client.graphql(token, PACK, { id: 'pack_1' })
          : await client.send({ method: 'GET', path: '/v1/packs', token });
      // After some of them the address is told to slow down.
      if (reply.status !== 429) expect(reply, 401, '');
    },
  },
  {
    name: 'malformed',
    weight: 80,
    run: async ({ client, random, number }) => {
      const [body, type, path] = random.pick([
        ['{"query":', 'application/json', '/graphql'],
        [JSON.stringify({ query: `{ packs( ${number}` }), 'application/json', '/graphql'],
        [JSON.stringify({ query: `{ nothing${number} }` }), 'application/json', '/graphql'],
        [
          JSON.stringify({ query: `{ ${'viewer { org { id } } '.repeat(600)} }` }),
          'application/json',
          '/graphql',
        ],
        [`--soaked\r\nbroken ${number}`, MULTIPART, '/graphql'],
        [`--soaked\r\nbroken ${number}`, MULTIPART, '/v1/packs/upload'],
        ['{}', 'application/json', '/v1/packs'],
        ['[1, 2', 'application/json', '/v1/agent-roles'],
        ['', 'application/json', `/nowhere/${number}`],
      ] as const);
      const reply = await client.send({ token: OWNER_KEY, path, type, body });
      // GraphQL says so in a 200 to callers that accept plain JSON only.
      expect({ ...reply, status: reply.status < 500 ? 400 : reply.status }, 400, '"error');
    },
  },
  {
    name: 'a change of a role',
    weight: 40,
    run: async ({ client, random, stock, number }) => {
      const variables = { role: random.pick(stock.roles), text: `Changed in turn ${number}.` };
      expect(await client.graphql(OWNER_KEY, RENAME, variables), 200, 'UpdatedAgentRole');
    },
  },
  {
    name: 'life of a pack',
    weight: 6,
    requests: 5,
    run: async ({ client, random, stock, number }) => {
      const uploaded = await client.upload(OWNER_KEY, UPLOAD, `short-lived-${number}`);
      expect(uploaded, 200, 'UploadedPack');
      const pack: string = JSON.parse(uploaded.text).data.result.pack.id;
      const variables = { pack, role: random.pick(stock.roles) };
      expect(await client.graphql(OWNER_KEY, ATTACH, variables), 200, 'AttachedPack');
      expect(await client.graphql(OWNER_KEY, DELETE, variables), 200, 'PackInUse');
      expect(await client.graphql(OWNER_KEY, DETACH, variables), 200, 'DetachedPack');
      expect(await client.graphql(OWNER_KEY, DELETE, variables), 200, 'PURGED');
    },
  },
  {
    name: 'subscription',
    weight: 14,
    run: async ({ client, random }) =>
      expect(await client.listen(OWNER_KEY, random.between(1, 40)), 200, ''),
  },
  {
    name: 'hung up',
    weight: 20,
    run: async ({ client, random, stock, number }) => {
      const query = random.pick([PACK, PACKS, `query N${number} { viewer { org { id } } }`]);
      const body = JSON.stringify({ query, variables: { id: random.pick(stock.packs) } });
      await client.hangUp(OWNER_KEY, body, random.pick([0.3, 0.8, 1]), random.between(0, 5));
    },
  },
];

/** One kind, as often as its weight says. */
export function anyKind(random: Random, novelties: boolean): Kind {
  const eligible = kinds.filter(({ isNovel = false }) => novelties || !isNovel);
  let left = random.next() * eligible.reduce((sum, { weight }) => sum + weight, 0);
  for (const kind of eligible) {
    left -= kind.weight;
    if (left < 0) return kind;
  }
  throw new Error('there is no kind of request');
}

function expect({ status, text }: Reply, expected: number, mark: string): void {
  if (status === expected && text.includes(mark)) return;
  throw new Error(`${status} instead of ${expected} with "${mark}": ${text.slice(0, 300)}`);
}
