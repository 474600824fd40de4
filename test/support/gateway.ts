/** A whole gateway in this process, on a database of its own. */
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { hashOf } from '../../src/identity/secret.ts';
import { bootstrap } from '../../src/keys/bootstrap.ts';
import { createLog } from '../../src/log.ts';
import type { PermissionSet } from '../../src/model/api-key.entity.ts';
import { newUuid } from '../../src/model/ids.ts';
import { ParserThread } from '../../src/parser-thread.ts';
import { requestLogged } from '../../src/request-record.ts';
import { createProcessMetrics } from '../../src/telemetry/metrics.ts';
import { samplePack } from './archives.ts';
import { type Lent, type LentEmbedded, lendEmbedded, lendPostgres } from './databases.ts';
import { whenFileEnds } from './file-end.ts';
import { OWNER_KEY } from './owner-key.ts';
import { recordStatement } from './statements.ts';

export type DatabaseKind = 'postgres' | 'embedded';
export const databaseKinds: readonly DatabaseKind[] = ['postgres', 'embedded'];

export interface GatewayOptions {
  readonly database?: DatabaseKind;
  /** A PostgreSQL database that another gateway of the test made (`gateway.environment.DATABASE_URL`). */
  readonly environment?: Readonly<Record<string, string>>;
  /** Not one that an earlier test of the file has used: for what a gateway remembers, counts or loses for good. */
  readonly fresh?: true;
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

/** A gateway that runs until its file of tests ends, or its test where no other may use it. */
interface Running {
  readonly app: App;
  readonly environment: Readonly<Record<string, string>>;
  readonly dataDirectory: string;
  /** What the test that uses it is shown. */
  heard: { readonly logs: Record<string, Json>[]; readonly statements: string[] };
  /** Whether a test has closed it. */
  isClosed: boolean;
  readonly lent: Lent<string> | LentEmbedded | undefined;
}

/** Those that another test of the file may use. To start one takes as long as most tests. */
const idle: Record<DatabaseKind, Running[]> = { postgres: [], embedded: [] };
whenFileEnds(async () => {
  for (const kind of databaseKinds) await Promise.all(idle[kind].splice(0).map(end));
});

/** A gateway for the test alone, without any data; it is closed, and its data removed, when test or file finish. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const kind = databaseOf(options);
  const others = options.environment === undefined && kind !== undefined ? idle[kind] : undefined;
  const known = options.fresh ? undefined : others?.pop();
  if (known !== undefined) known.heard = { logs: [], statements: [] };
  const running = known ?? (await run(options, kind));
  onTestFinished(async ({ task }) => {
    const mayStay = others !== undefined && !options.fresh && task.result?.state === 'pass';
    if (mayStay && (await isEmptied(running))) others.push(running);
    else await end(running);
  });
  return gatewayOf(running);
}

async function run(
  { environment: more }: GatewayOptions,
  kind: DatabaseKind | undefined,
): Promise<Running> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'pack-gateway-'));
  const environment: Record<string, string> = {
    BOOTSTRAP_API_KEY: OWNER_KEY,
    DATA_DIR: dataDirectory,
    ...more,
  };
  const postgres = kind === 'postgres' ? await lendPostgres() : undefined;
  const embedded = kind === 'embedded' ? await lendEmbedded() : undefined;
  if (postgres !== undefined) environment.DATABASE_URL = postgres.database;
  const running: Omit<Running, 'app'> = {
    environment,
    dataDirectory,
    heard: { logs: [], statements: [] },
    isClosed: false,
    lent: postgres ?? embedded,
  };
  const starting = createApp(readConfig(environment), {
    log: createLog(
      'debug',
      requestLogged,
      lines((line) => running.heard.logs.push(line)),
    ),
    onStatement: ({ sql }) => {
      running.heard.statements.push(sql);
      recordStatement(sql);
    },
    parserThread,
    processMetrics,
    ...(embedded && { embedded: embedded.database }),
  });
  starting.catch(() => running.lent?.giveBack());
  return Object.assign(running, { app: await starting });
}

async function end(running: Running): Promise<void> {
  if (!running.isClosed) await running.app.close();
  running.isClosed = true;
  await running.lent?.giveBack();
  rmSync(running.dataDirectory, { recursive: true, force: true });
}

/** Takes all data from it, and makes its first org again; false where it cannot be used again. */
async function isEmptied({ app, isClosed, lent, dataDirectory }: Running): Promise<boolean> {
  if (isClosed || app.world.unpacked.state().images > 0) return false;
  if (!emptyLayout(join(dataDirectory, 'registry')) || !(await lent?.empty())) return false;
  await bootstrap(app.world.database, app.world.config.bootstrap);
  return true;
}

/** Takes all images from the embedded registry, as another process may; false where it has been damaged. */
function emptyLayout(directory: string): boolean {
  try {
    const index = join(directory, 'index.json');
    const { manifests, ...rest } = JSON.parse(readFileSync(index, 'utf8'));
    if (manifests.length > 0) {
      writeFileSync(`${index}.empty`, JSON.stringify({ ...rest, manifests: [] }));
      renameSync(`${index}.empty`, index);
    }
    const blobs = join(directory, 'blobs', 'sha256');
    for (const blob of readdirSync(blobs)) rmSync(join(blobs, blob));
    return true;
  } catch {
    return false;
  }
}

function gatewayOf(running: Running): Gateway {
  const { app, environment, dataDirectory, lent, heard } = running;
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
    logs: heard.logs,
    statements: heard.statements,
    graphql,
    upload,
    async close() {
      if (running.isClosed) return;
      running.isClosed = true;
      await app.close();
      if (lent !== undefined && 'moveTo' in lent) await lent.moveTo(join(dataDirectory, 'db'));
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

function lines(onLine: (line: Record<string, Json>) => void): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().trim().split('\n')) onLine(JSON.parse(line));
      done();
    },
  });
}
