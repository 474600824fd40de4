/** What is asked of each server, in its own words, and what its answers mean in common ones. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DataSet } from './data-set.ts';
import type { LoadRequest } from './load-job.ts';

export const workloads = ['W1', 'W2', 'W3', 'W4'] as const;
export type Workload = (typeof workloads)[number];

export const workloadTitles: Record<Workload, string> = {
  W1: 'one pack by id, 8 fields',
  W2: 'newest 50 packs, 8 fields, first 10 roles of each',
  W3: 'deletePack of a pack in use, answers with the roles',
  W4: 'deletePack of an unmanaged pack that succeeds',
};

// biome-ignore lint/suspicious/noExplicitAny: answers of four servers; what they become is compared with each other
type Json = any;

/** How one kind of server is spoken to. */
export interface Dialect {
  /** @param id UUID of the pack; W2 needs none */
  request(workload: Workload, id: string, data: DataSet): LoadRequest;
  /** An answer in the common form; throws where it is none. */
  meaning(workload: Workload, answer: Json): unknown;
}

const operation = (path: string) =>
  readFileSync(new URL(`../operations/${path}.graphql`, import.meta.url), 'utf8');

const keyOf = (workload: Workload, data: DataSet) =>
  workload === 'W4' ? data.deletingKey : data.key;

const bare = (id: string) => id.slice(id.indexOf('_') + 1);

const pack = (row: Json, id: string) => ({
  id: bare(id),
  name: row.name,
  displayName: row.displayName,
  version: row.version,
  tier: row.tier,
  visibility: row.visibility,
  imageRef: row.imageRef,
  sizeBytes: Number(row.sizeBytes),
});

const role = ({ id, name, displayName }: Json) => ({ id: bare(id), name, displayName });

/** What an answer of each workload certainly holds; every answer under load is searched for it. */
const marks = {
  rest: { W1: '"imageRef"', W2: '"roles"', W3: 'PACK_IN_USE', W4: '"deleted"' },
  graphql: { W1: '"imageRef"', W2: '"roles"', W3: 'PACK_IN_USE', W4: 'DeletedPack' },
  postgraphile: { W1: '"imageRef"', W2: '"nodes"', W3: '"in_use"', W4: '"deleted"' },
} as const;

function graphqlRequest(
  key: string,
  operation: { readonly query: string } | { readonly extensions: object },
  variables: object,
  mark: string,
): LoadRequest {
  return {
    method: 'POST',
    path: '/graphql',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...operation, variables }),
    mark,
  };
}

const rest: Dialect = {
  request: (workload, id, data) => ({
    method: workload === 'W1' || workload === 'W2' ? 'GET' : 'DELETE',
    path: workload === 'W2' ? '/packs' : `/packs/pack_${id}`,
    headers: { authorization: `Bearer ${keyOf(workload, data)}` },
    body: null,
    mark: marks.rest[workload],
  }),
  meaning(workload, answer) {
    switch (workload) {
      case 'W1':
        return pack(answer, answer.id);
      case 'W2':
        return answer.map((row: Json) => ({ ...pack(row, row.id), roles: row.roles.map(role) }));
      case 'W3':
        return {
          inUse: bare(answer.pack.id),
          name: answer.pack.name,
          roles: answer.roles.map(role),
        };
      case 'W4':
        return { deleted: bare(answer.deleted), name: answer.name };
    }
  },
};

const documents = {
  W1: operation('pack'),
  W2: operation('packs'),
  W3: operation('delete-pack'),
  W4: operation('delete-pack'),
};

const hashOf = (document: string): string => createHash('sha256').update(document).digest('hex');

/** What `TRUSTED_DOCUMENTS` names: the documents of all workloads by their hashes. */
export const trustedDocuments = Object.fromEntries(
  Object.values(documents).map((document) => [hashOf(document), document]),
);

/** What is asked of a server with our schema, by whatever tells it the document. */
const asking =
  (
    operationOf: (document: string) => { readonly query: string } | { readonly extensions: object },
  ) =>
  (workload: Workload, id: string, data: DataSet): LoadRequest =>
    graphqlRequest(
      keyOf(workload, data),
      operationOf(documents[workload]),
      workload === 'W2' ? {} : { id: `pack_${id}` },
      marks.graphql[workload],
    );

const graphql: Dialect = {
  request: asking((query) => ({ query })),
  meaning(workload, { data }) {
    switch (workload) {
      case 'W1':
        return pack(data.pack, data.pack.id);
      case 'W2':
        return data.packs.nodes.map((row: Json) => ({
          ...pack(row, row.id),
          roles: row.roles.nodes.map(role),
        }));
      case 'W3': {
        const { deletePack } = data;
        const roles = deletePack.roles.nodes.map(role);
        return { inUse: bare(deletePack.pack.id), name: deletePack.pack.name, roles };
      }
      case 'W4':
        return { deleted: bare(data.deletePack.deletedPackId), name: data.deletePack.name };
    }
  },
};

const byHash: Dialect = {
  ...graphql,
  request: asking((document) => ({
    extensions: { persistedQuery: { version: 1, sha256Hash: hashOf(document) } },
  })),
};

const postgraphileDocuments = {
  W1: operation('postgraphile/pack'),
  W2: operation('postgraphile/packs'),
  W3: operation('postgraphile/delete-pack'),
  W4: operation('postgraphile/delete-pack'),
};

const postgraphile: Dialect = {
  request: (workload, id, data) =>
    graphqlRequest(
      keyOf(workload, data),
      { query: postgraphileDocuments[workload] },
      workload === 'W2' ? { orgId: data.orgId } : { id },
      marks.postgraphile[workload],
    ),
  meaning(workload, { data }) {
    switch (workload) {
      case 'W1':
        return pack(data.packByRowId, data.packByRowId.rowId);
      case 'W2':
        return data.allPacks.nodes.map((row: Json) => ({
          ...pack(row, row.rowId),
          roles: row.rolePacksByPackId.nodes.map(({ agentRoleByRoleId: of }: Json) =>
            role({ ...of, id: of.rowId }),
          ),
        }));
      case 'W3': {
        const { packId, packName, roles } = data.removePack.result;
        const list = typeof roles === 'string' ? JSON.parse(roles) : roles;
        return { inUse: packId, name: packName, roles: list.map(role) };
      }
      case 'W4': {
        const { packId, packName } = data.removePack.result;
        return { deleted: packId, name: packName };
      }
    }
  },
};

export const dialects = { rest, graphql, byHash, postgraphile };
