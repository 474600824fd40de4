/** Two orgs on one real process: one attacks, the other goes on working. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { hashOf } from '../../src/identity/secret.ts';
import { newUuid } from '../../src/model/ids.ts';
import { SoakedServer } from '../soak/soaked-server.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { attacks } from './all-attacks.ts';
import type { Reply } from './attack.ts';
import { fill } from './fill.ts';
import { Target } from './target.ts';

const MIB = 1024 ** 2;

export interface AbuseReport {
  readonly name: string;
  readonly replies: readonly Reply[];
  /** The longest time that the event loop stood still. */
  readonly stallMs: number;
  /** The longest that its own work let it stand still; less than that where other processes were busy meanwhile. */
  readonly busyMs: number;
  readonly cpuMs: number;
  /** How much more of it was resident at its peak, garbage included; bytes. */
  readonly grewBy: number;
  /** What the other org was answered instead of what it asked for. */
  readonly noticed: readonly string[];
}

/**
 * @param onReport told of each attack when it is over
 * @param options.wanted a part of the names of those that are wanted
 * @param options.heapMib how much more heap than an idle server's the attacked one may have; as V8 likes when left out
 */
export async function runAbuse(
  databaseUrl: string,
  onReport: (report: AbuseReport) => void = () => undefined,
  { wanted = '', heapMib }: { readonly wanted?: string; readonly heapMib?: number } = {},
): Promise<readonly AbuseReport[]> {
  const environment = { DATABASE_URL: databaseUrl };
  await using server = await SoakedServer.start(
    environment,
    heapMib === undefined ? [] : [await heapLimit(environment, heapMib)],
  );
  const attacker = await withDatabase(databaseUrl, async (database) => {
    await fill(database, 'default');
    return makeKeys(database);
  });
  const target = new Target(server.url, attacker.reader, attacker.writer);
  // What is compiled, connected or loaded once belongs to no attack.
  await target.graphql('{ packs(first: 200) { nodes { id } } }');
  await target.rest('/v1/packs?limit=1');
  const reports: AbuseReport[] = [];
  for (const { name, run } of attacks.filter((one) => one.name.includes(wanted))) {
    await server.collectGarbage();
    const before = await server.startWatching();
    const bystander = watch(server.url);
    const replies = await run(target).catch(() => []);
    if (!server.isAlive()) throw new Error(`the process did not survive: ${name}`);
    const noticed = await bystander.end();
    const report = { name, replies, noticed, ...(await server.stopWatching(before)) };
    reports.push(report);
    onReport(report);
    if (!server.isAlive()) throw new Error(`the process did not survive: ${name}`);
  }
  return reports;
}

/**
 * What one caller may cost, and no more than that, is left beside what an idle server holds: V8 then collects what is
 * garbage, and a process that needs more dies.
 */
async function heapLimit(
  environment: { readonly DATABASE_URL: string },
  heapMib: number,
): Promise<string> {
  await using idle = await SoakedServer.start(environment);
  const held = await idle.held();
  return `--max-old-space-size=${Math.ceil(held / MIB) + heapMib}`;
}

/** The other org: asks over and over, and notes every answer that is not its own. */
function watch(url: string) {
  const noticed: string[] = [];
  let isOver = false;
  const leave = new AbortController();
  const listening = listen(url, leave.signal).finally(() => {
    if (!isOver) noticed.push('its stream of events ended');
  });
  const asking = (async () => {
    const owner = new Target(url, OWNER_KEY);
    do {
      const reply = await owner.graphql('{ viewer { org { slug } } }').catch(String);
      if (typeof reply === 'string') noticed.push(reply);
      else if (reply.status !== 200) noticed.push(`status ${reply.status}`);
      await pause(10);
    } while (!isOver);
  })();
  return {
    async end() {
      isOver = true;
      leave.abort();
      await Promise.all([asking, listening.catch(() => undefined)]);
      return noticed;
    },
  };
}

/** Follows the other org's events until it is told to leave, or they end. */
async function listen(url: string, signal: AbortSignal): Promise<void> {
  const headers = {
    authorization: `Bearer ${OWNER_KEY}`,
    accept: 'text/event-stream',
    'content-type': 'application/json',
  };
  const body = JSON.stringify({ query: 'subscription { packEvents { type } }' });
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body, signal });
  const reader = response.body?.getReader();
  // Leaving rejects what is being read.
  while ((await reader?.read().catch(() => undefined))?.done === false);
}

async function withDatabase<T>(url: string, work: (database: pg.Client) => Promise<T>): Promise<T> {
  const database = new pg.Client(url);
  await database.connect();
  try {
    return await work(database);
  } finally {
    await database.end();
  }
}

/** Keys of an org of its own that holds as much as the lists need: one that may read only, and one that may write. */
async function makeKeys(database: pg.Client) {
  const org = newUuid();
  await database.query(`insert into orgs (id, slug, created_at) values ($1, 'attacker', now())`, [
    org,
  ]);
  const makeKey = async (permissionSet: string) => {
    const secret = `sk_${newUuid()}${newUuid()}`;
    await database.query(
      `insert into api_keys (id, org_id, label, prefix, secret_hash, permission_set, created_at)
       values ($1, $2, 'attacker', 'sk_atta', $3, $4, now())`,
      [newUuid(), org, hashOf(secret), permissionSet],
    );
    return secret;
  };
  await fill(database, 'attacker');
  return { reader: await makeKey('READ_ONLY'), writer: await makeKey('FULL_ACCESS') };
}
