/** What is asked of the service at each size, and what its cost is compared with. */
import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { addDeletablePacks } from './data-set.ts';
import type { LoadRequest } from './load-job.ts';
import type { ScaleData } from './scale-data.ts';

export interface ScaleCase {
  readonly name: string;
  /**
   * What this case must cost the same as: itself on the smallest data (`size`), or another case on the same data.
   * `counts`: it goes through what it counts or searches, by its nature, and is listed for what it costs.
   */
  readonly against: 'size' | 'counts' | { readonly name: string };
  /** Requests, sent one after the other, again and again. `once`: each at most once. */
  prepare(database: pg.Client, data: ScaleData): Promise<readonly LoadRequest[]>;
  readonly once?: boolean;
}

const PAGE = 50;

const operation = (name: string) =>
  readFileSync(new URL(`../operations/${name}.graphql`, import.meta.url), 'utf8');

function graphql(key: string, query: string, variables: object, mark: string): LoadRequest {
  return {
    method: 'POST',
    path: '/graphql',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
    mark,
  };
}

const PACKS = `query Packs($after: String, $filter: PackFilter) {
  packs(first: ${PAGE}, after: $after, filter: $filter) { nodes { id name version status } }
}`;
const ROLES = `query Roles($after: String) {
  agentRoles(first: ${PAGE}, after: $after) { nodes { id name displayName } }
}`;
const EVENTS = `query Events($after: String, $filter: AuditEventFilter) {
  auditEvents(first: ${PAGE}, after: $after, filter: $filter) { nodes { id type subjectId createdAt } }
}`;
const COUNTED_HOLDERS = `mutation ($id: ID!) { deletePack(id: $id) {
  ... on PackInUse { otherOrgRoleCount roles(first: 10) { totalCount nodes { id name } } }
} }`;
const DELETE = operation('delete-pack');

/** A case that sends the same request each time. */
const asked = (
  name: string,
  against: ScaleCase['against'],
  request: (data: ScaleData) => LoadRequest,
): ScaleCase => ({ name, against, prepare: async (_database, data) => [request(data)] });

const filtered = (name: string, filter: object, against: ScaleCase['against'] = 'size') =>
  asked(name, against, ({ key }) => graphql(key, PACKS, { filter }, '"nodes"'));

/** Page 1, and page 1,000 (the last full one, where there are fewer) of what `from` selects of the large org. */
function pages(
  name: string,
  query: string,
  from: string,
  filter: object | undefined,
): readonly ScaleCase[] {
  const first = `${name}, page 1`;
  return [
    asked(first, 'size', ({ key }) => graphql(key, query, { filter }, '"nodes":[{')),
    {
      name: `${name}, page 1,000`,
      against: { name: first },
      async prepare(database, { key, orgId }) {
        const { rows } = await database.query<{ id: string }>(
          `with one as (select id, row_number() over (order by id desc) as n, count(*) over () as total from ${from})
           select id from one where n = least(999 * ${PAGE}, (total / ${PAGE} - 1) * ${PAGE})`,
          [orgId],
        );
        const after = Buffer.from(rows[0]?.id ?? '').toString('base64url');
        return [graphql(key, query, { after, filter }, '"nodes":[{')];
      },
    },
  ];
}

const refusal = (
  name: string,
  document: string,
  pack: 'packOf10' | 'packOf60' | 'packOf10000',
  against: ScaleCase['against'],
) =>
  asked(name, against, (data) =>
    graphql(data.key, document, { id: `pack_${data[pack]}` }, '"roles"'),
  );

const restRefusal = (name: string, pack: 'packOf10' | 'packOf10000', against: 'size' | 'counts') =>
  asked(name, against, (data) => ({
    method: 'DELETE',
    path: `/v1/packs/pack_${data[pack]}`,
    headers: { authorization: `Bearer ${data.key}` },
    body: null,
    mark: 'pack_in_use',
  }));

export const scaleCases: readonly ScaleCase[] = [
  {
    name: 'W1 pack by id',
    against: 'size',
    prepare: async (_database, { key, somePacks }) =>
      somePacks.map((id) => graphql(key, operation('pack'), { id: `pack_${id}` }, '"imageRef"')),
  },
  asked('W2 newest 50 packs with roles', 'size', ({ key }) =>
    graphql(key, operation('packs'), {}, '"roles"'),
  ),
  {
    name: 'W3 deletePack, in use',
    against: 'size',
    prepare: async (_database, { key, somePacksInUse }) =>
      somePacksInUse.map((id) => graphql(key, DELETE, { id: `pack_${id}` }, 'PACK_IN_USE')),
  },
  {
    name: 'W4 deletePack, succeeds',
    against: 'size',
    once: true,
    async prepare(database, { key, orgId }) {
      const ids = await addDeletablePacks(database, orgId, 1_500);
      return ids.map((id) => graphql(key, DELETE, { id: `pack_${id}` }, 'DeletedPack'));
    },
  },
  ...pages('packs', PACKS, `packs where org_id = $1 or visibility = 'COMMUNITY'`, undefined),
  ...pages('own packs', PACKS, 'packs where org_id = $1', { owned: true }),
  ...pages('agentRoles', ROLES, 'agent_roles where org_id = $1 and archived_at is null', undefined),
  ...pages('auditEvents', EVENTS, 'audit_events where org_id = $1', undefined),
  refusal('deletePack, 10 roles', DELETE, 'packOf10', 'size'),
  // Both answers name the first ten and count nothing.
  refusal('deletePack, 60 roles', DELETE, 'packOf60', 'size'),
  refusal('deletePack, 10,000 roles', DELETE, 'packOf10000', { name: 'deletePack, 60 roles' }),
  // Both answers say how many roles there are, and count them.
  refusal('deletePack with totalCount, 10,000 roles', COUNTED_HOLDERS, 'packOf10000', 'counts'),
  restRefusal('DELETE /v1/packs/{id}, 10 roles', 'packOf10', 'size'),
  restRefusal('DELETE /v1/packs/{id}, 10,000 roles', 'packOf10000', 'counts'),
  filtered('packs of a category', { category: 'category-3' }),
  filtered('packs of others', { owned: false }),
  filtered('own packs of a rare category', { category: 'rare', owned: true }),
  filtered('packs whose cleanup failed', { status: 'CLEANUP_FAILED', owned: true }),
  filtered('packs of a rare tier', { tier: 'RECOMMENDED', owned: true }),
  filtered('packs of a rare image origin', { imageOrigin: 'CLONE', owned: true }),
  filtered('own community packs', { visibility: 'COMMUNITY', owned: true }),
  filtered('packs whose name contains "77"', { nameContains: '77' }),
  filtered('packs whose name contains what none has', { nameContains: 'zebra' }),
  asked('auditEvents of a rare type', 'size', ({ key }) =>
    graphql(key, EVENTS, { filter: { type: 'PACK_VISIBILITY_CHANGED' } }, '"nodes"'),
  ),
  {
    name: 'auditEvents of a pack',
    against: 'size',
    prepare: async (_database, { key, somePacks }) =>
      somePacks.map((id) =>
        graphql(key, EVENTS, { filter: { subjectId: `pack_${id}` } }, '"nodes":[{'),
      ),
  },
  asked('totalCount of own packs, org of 100', 'size', ({ smallKey }) =>
    graphql(smallKey, '{ packs(filter: { owned: true }) { totalCount } }', {}, '"totalCount"'),
  ),
  asked('totalCount of own packs, large org', 'counts', ({ key }) =>
    graphql(key, '{ packs(filter: { owned: true }) { totalCount } }', {}, '"totalCount"'),
  ),
  asked('totalCount of auditEvents, large org', 'counts', ({ key }) =>
    graphql(key, '{ auditEvents { totalCount } }', {}, '"totalCount"'),
  ),
];
