/**
 * Who may write to a repository of the registry: an upload pushes, a deletion purges, never both at once.
 *
 * A DELETE that races a push of the same manifest loses the tag while both report success, and a purge that comes
 * late could take the image of a pack uploaded since. No registry offers a lock, and no transaction may stay open
 * across registry calls; so the right to write is a row with an expiry. The holder renews it while it works and
 * asks `mayWrite` before each write; after a crash it lapses by itself.
 */
import type { SqlEntityManager } from '@mikro-orm/sql';
import { newUuid } from '../model/ids.ts';
import { type Database, query } from './database.ts';

/** Milliseconds that a crashed holder keeps others waiting, at most. */
export const LEASE_TTL_MS = 4_000;
const RENEW_EVERY_MS = 1_000;
/** Stop writing this much before the database gives the lease to somebody else. */
const SAFETY_MARGIN_MS = 500;

export interface Lease {
  /** As `packs.repository` has it: with its host, where that is not the configured registry's own. */
  readonly repository: string;
  readonly holder: string;
  /** When the database last confirmed it, by this process's monotonic clock; taken before the statement was sent. */
  readonly confirmedAt: number;
}

/**
 * The statement that takes a lease and returns its row, or takes none while somebody else holds it.
 * @param from what the repository comes from, as the rest of a select
 * @param ttl milliseconds
 */
export const takeLease = (
  repository: string,
  holder: `$${number}`,
  ttl: `$${number}`,
  from = '',
): string => `
  insert into repository_leases as l (repository, holder, expires_at)
  select ${repository}, ${holder}::uuid, clock_timestamp() + ${ttl} * interval '1 millisecond' ${from}
  on conflict (repository) do update set holder = excluded.holder, expires_at = excluded.expires_at
    where l.expires_at < clock_timestamp()
  returning l.repository, l.expires_at`;

/** Takes the lease, in the transaction of an entity manager where one is given, or answers null while somebody else holds it. */
export async function acquireLease(
  source: SqlEntityManager | Database,
  repository: string,
): Promise<Lease | null> {
  const holder = newUuid();
  const confirmedAt = performance.now();
  const rows = await query(source, TAKE_LEASE, [repository, holder, LEASE_TTL_MS]);
  return rows.length === 1 ? { repository, holder, confirmedAt } : null;
}

const TAKE_LEASE = takeLease('$1::text', '$2', '$3');

/** Gives the lease back, likewise; false: it had lapsed, whether another holder has it now or none. */
export async function releaseLease(
  source: SqlEntityManager | Database,
  lease: Lease,
): Promise<boolean> {
  const released = await query(
    source,
    'delete from repository_leases where repository = $1 and holder = $2 returning repository',
    [lease.repository, lease.holder],
  );
  return released.length === 1;
}

/** Drops every lease; for the embedded database only, whose one process has just started. */
export async function dropLeasesOfDeadProcess(database: Database): Promise<void> {
  await database.query('delete from repository_leases', []);
}

/**
 * Renews the lease; false: it has lapsed, or a transaction that gave it back was committed. It waits for one that is
 * still under way.
 */
export async function renewLease(database: Database, lease: Lease): Promise<boolean> {
  const rows = await database.query(
    `update repository_leases set expires_at = clock_timestamp() + $3 * interval '1 millisecond'
     where repository = $1 and holder = $2 and expires_at > clock_timestamp()
     returning repository`,
    [lease.repository, lease.holder, LEASE_TTL_MS],
  );
  return rows.length === 1;
}

/** What a call of the registry takes as its options. */
export interface KeptLease extends Disposable {
  /** Whether a write that starts now is still ours to make. */
  readonly mayWrite: () => boolean;
  /** Aborted once the lease can no longer be confirmed. */
  readonly signal: AbortSignal;
}

/** Renews the lease until it is disposed. */
export function keepLease(database: Database, lease: Lease): KeptLease {
  const lost = new AbortController();
  let confirmedAt = lease.confirmedAt;
  const mayWrite = () => performance.now() - confirmedAt < LEASE_TTL_MS - SAFETY_MARGIN_MS;
  const renew = async () => {
    if (!mayWrite()) return lost.abort();
    const sentAt = performance.now();
    if (await renewLease(database, lease)) confirmedAt = sentAt;
    else lost.abort();
  };
  // A failed renewal is no loss yet: the next one may succeed before the lease lapses.
  const timer = setInterval(() => void renew().catch(() => undefined), RENEW_EVERY_MS);
  return { mayWrite, signal: lost.signal, [Symbol.dispose]: () => clearInterval(timer) };
}
