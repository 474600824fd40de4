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

export interface AbuseReport {
  readonly name: string;
  readonly replies: readonly Reply[];
  /** The longest time that the event loop stood still. */
  readonly stallMs: number;
  readonly cpuMs: number;
  /** What the process held more at its peak, in bytes. */
  readonly grewBy: number;
  /** What the other org was answered instead of what it asked for. */
  readonly noticed: readonly string[];
}

/** @param onReport told of each attack when it is over */
export async function runAbuse(
  databaseUrl: string,
  onReport: (report: AbuseReport) => void = () => undefined,
): Promise<readonly AbuseReport[]> {
  await using server = await SoakedServer.start({ DATABASE_URL: databaseUrl });
  const attacker = await withDatabase(databaseUrl, async (database) => {
    await fill(database, 'default');
    return makeReader(database);
  });
  const target = new Target(server.url, attacker);
  // What is compiled, connected or loaded once belongs to no attack.
  await target.graphql('{ packs(first: 200) { nodes { id } } }');
  const reports: AbuseReport[] = [];
  for (const { name, run } of attacks) {
    await server.collectGarbage();
    const before = await server.startWatching();
    const bystander = watch(server.url);
    const replies = await run(target).catch(() => []);
    const noticed = await bystander.end();
    const report = { name, replies, noticed, ...(await server.stopWatching(before)) };
    reports.push(report);
    onReport(report);
    if (!server.isAlive()) throw new Error(`the process did not survive: ${name}`);
  }
  return reports;
}

/** The other org: asks over and over, and notes every answer that is not its own. */
function watch(url: string) {
  const noticed: string[] = [];
  let isOver = false;
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
      await asking;
      return noticed;
    },
  };
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

/** A key that may read only, of an org of its own that holds as much as the lists need; answers it. */
async function makeReader(database: pg.Client): Promise<string> {
  const secret = `sk_${newUuid()}${newUuid()}`;
  const org = newUuid();
  await database.query(`insert into orgs (id, slug, created_at) values ($1, 'attacker', now())`, [
    org,
  ]);
  await database.query(
    `insert into api_keys (id, org_id, label, prefix, secret_hash, permission_set, created_at)
     values ($1, $2, 'attacker', 'sk_atta', $3, 'READ_ONLY', now())`,
    [newUuid(), org, hashOf(secret)],
  );
  await fill(database, 'attacker');
  return secret;
}
