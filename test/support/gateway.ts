/** A whole gateway in this process, on a database of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { hashOf } from '../../src/identity/secret.ts';
import { createLog } from '../../src/log.ts';
import type { PermissionSet } from '../../src/model/api-key.entity.ts';
import { newUuid } from '../../src/model/ids.ts';
import { ParserThread } from '../../src/parser-thread.ts';
import { requestLogged } from '../../src/request-record.ts';
import { createProcessMetrics } from '../../src/telemetry/metrics.ts';
import { samplePack } from './archives.ts';
import { emptyEmbedded, emptyPostgres } from './databases.ts';
import { OWNER_KEY } from './owner-key.ts';
import { recordStatement } from './statements.ts';

export type DatabaseKind = 'postgres' | 'embedded';
export const databaseKinds: readonly DatabaseKind[] = ['postgres', 'embedded'];

export interface GatewayOptions {
  readonly database?: DatabaseKind;
  /** A PostgreSQL database that another gateway of the test made (`gateway.environment.DATABASE_URL`). */
  readonly environment?: Readonly<Record<string, string>>;
}

// biome-ignore lint/suspicious/noExplicitAny: answers are read by tests, whose expectations check their shape
export type Json = any;

export interface Gateway {
  readonly app: App;
  /** What a second process on the same data would be started with. */
  readonly environment: Readonly<Record<string, string>>;
  readonly dataDirectory: string;
  /** Every JSON line logged so far. */
  readonly logs: Record<string, Json>[];
  /** Every SQL statement sent so far; a test may empty it. */
  readonly statements: string[];
  /** Runs an operation and answers the whole JSON answer. */
  graphql(query: string, variables?: object, key?: string | null): Promise<Json>;
  /** Uploads an archive; answers the member of the union. */
  upload(archive: Buffer, options?: { key?: string; visibility?: string }): Promise<Json>;
  /** Uploads a sample pack and answers its Pack. */
  pack(name: string, options?: { key?: string; visibility?: string }): Promise<Json>;
  rest(method: string, path: string, options?: RestOptions): Promise<RestAnswer>;
  /** Makes another org with a key of its own; answers the key. */
  org(slug: string): Promise<string>;
  /** Makes a key in the first org; answers it. */
  key(permissionSet: PermissionSet, orgSlug?: string): Promise<string>;
  close(): Promise<void>;
}

export interface RestOptions {
  readonly key?: string | null;
  readonly json?: unknown;
  readonly body?: FormData | string;
  readonly headers?: Record<string, string>;
}

export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

const UPLOAD = `mutation ($archive: File!, $visibility: PackVisibility! = ORG) {
  uploadPack(archive: $archive, visibility: $visibility) {
    __typename
    ... on UploadedPack { pack { id name version imageRef imageDigest sizeBytes status visibility } }
    ... on Error { code message details }
    ... on ValidationFailed { fields { path message } }
  }
}`;

/** To start one takes longer than to start the rest of a gateway. */
const parserThread = new ParserThread();
/** Each measures until the process ends. */
const processMetrics = createProcessMetrics();

/** Starts a gateway; it is closed, and its data removed, when the test finishes. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'pack-gateway-'));
  const environment: Record<string, string> = {
    BOOTSTRAP_API_KEY: OWNER_KEY,
    DATA_DIR: dataDirectory,
    ...options.environment,
  };
  const kind = databaseOf(options);
  if (kind === 'postgres') environment.DATABASE_URL = await emptyPostgres();
  const lent = kind === 'embedded' ? await emptyEmbedded() : undefined;
  const logs: Record<string, Json>[] = [];
  const statements: string[] = [];
  const log = createLog('debug', requestLogged, lines(logs));
  const app = await createApp(readConfig(environment), {
    log,
    onStatement: ({ sql }) => {
      statements.push(sql);
      recordStatement(sql);
    },
    parserThread,
    processMetrics,
    ...(lent && { embedded: lent.pglite }),
  });
  let open = true;
  const close = async () => {
    if (open) await app.close();
    open = false;
  };
  onTestFinished(async () => {
    await close();
    rmSync(dataDirectory, { recursive: true, force: true });
  });

  const graphql: Gateway['graphql'] = async (query, variables = {}, key = OWNER_KEY) => {
    const response = await app.fetch(
      new Request('http://gateway/graphql', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify({ query, variables }),
      }),
    );
    return response.json();
  };
  const upload: Gateway['upload'] = async (
    archive,
    { key = OWNER_KEY, visibility = 'ORG' } = {},
  ) => {
    const form = new FormData();
    const variables = { archive: null, visibility };
    form.set('operations', JSON.stringify({ query: UPLOAD, variables }));
    form.set('map', JSON.stringify({ file: ['variables.archive'] }));
    form.set('file', new File([new Uint8Array(archive)], 'pack.tar.gz'));
    const headers = { authorization: `Bearer ${key}` };
    const request = new Request('http://gateway/graphql', { method: 'POST', headers, body: form });
    const answer: Json = await (await app.fetch(request)).json();
    if (answer.data == null) throw new Error(JSON.stringify(answer));
    return answer.data.uploadPack;
  };
  return {
    app,
    environment,
    dataDirectory,
    logs,
    statements,
    graphql,
    upload,
    async close() {
      const stays = open;
      await close();
      if (stays) await lent?.moveTo(join(dataDirectory, 'db'));
    },
    async pack(name, uploadOptions) {
      const answer = await upload(samplePack({ name }), uploadOptions);
      if (answer.__typename !== 'UploadedPack') throw new Error(JSON.stringify(answer));
      return answer.pack;
    },
    async rest(method, path, { key = OWNER_KEY, json, body, headers = {} } = {}) {
      const response = await app.fetch(
        new Request(`http://gateway${path}`, {
          method,
          headers: {
            ...(key === null ? {} : { authorization: `Bearer ${key}` }),
            ...(json === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          body: json === undefined ? (body ?? null) : JSON.stringify(json),
        }),
      );
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text !== '' && isJson(response) ? JSON.parse(text) : text || null,
      };
    },
    async org(slug) {
      const { database } = app.world;
      await database.query('insert into orgs (id, slug, created_at) values ($1, $2, now())', [
        newUuid(),
        slug,
      ]);
      return insertKey(app, 'OWNER', slug);
    },
    key: (permissionSet, orgSlug = 'default') => insertKey(app, permissionSet, orgSlug),
  };
}

const isJson = ({ headers }: Response): boolean =>
  /[/+]json\b/.test(headers.get('content-type') ?? '');

async function insertKey(app: App, permissionSet: PermissionSet, orgSlug: string): Promise<string> {
  const secret = `sk_${newUuid()}${newUuid()}`;
  await app.world.database.query(
    `insert into api_keys (id, org_id, label, prefix, secret_hash, permission_set, created_at)
     select $1, o.id, 'test', 'sk_test', $2, $3, now() from orgs o where o.slug = $4`,
    [newUuid(), hashOf(secret), permissionSet, orgSlug],
  );
  return secret;
}

/** The kind of database to make for it; undefined where its environment names one. */
function databaseOf({ database, environment = {} }: GatewayOptions): DatabaseKind | undefined {
  if (environment.DATABASE_URL !== undefined) return undefined;
  // Another gateway's data directory without an address holds an embedded database; else the one that starts faster.
  if (environment.DATA_DIR !== undefined && database !== 'postgres') return undefined;
  return database ?? 'postgres';
}

function lines(into: Record<string, Json>[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().trim().split('\n')) into.push(JSON.parse(line));
      done();
    },
  });
}
