import type { EventFeed } from './audit/event-feed.ts';
import type { Config } from './config.ts';
import type { Database } from './database/database.ts';
import type { FailedAttempts } from './identity/failed-attempts.ts';
import type { KeyLookup } from './identity/key-lookup.ts';
import type { Log } from './log.ts';
import type { PackLookup } from './packs/pack-lookup.ts';
import type { UnmanagedRemoval } from './packs/unmanaged-removal.ts';
import type { VerdictLookup } from './packs/verdict-lookup.ts';
import type { Registry } from './registry/registry.ts';

/** The world that use-cases work on; `app.ts` builds it from a Config. */
export interface Services {
  readonly config: Config;
  readonly database: Database;
  readonly registry: Registry;
  readonly events: EventFeed;
  readonly findKeyByHash: KeyLookup;
  readonly findPack: PackLookup;
  readonly findVerdict: VerdictLookup;
  readonly removeUnmanaged: UnmanagedRemoval;
  readonly failedAttempts: FailedAttempts;
  readonly log: Log;
}
