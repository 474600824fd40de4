import type { EventFeed } from '../audit/event-feed.ts';
import type { Foundation } from '../http/foundation.ts';
import { isStillValid } from '../identity/authenticate.ts';
import type { Caller } from '../identity/caller.ts';
import type { ReadingWorld } from '../packs/contents/reading-world.ts';
import type { RequestRecord } from '../request-record.ts';
import { Loaders } from './loaders.ts';

/** What every resolver is handed. */
export interface Context {
  readonly world: ReadingWorld;
  readonly events: EventFeed;
  readonly caller: Caller;
  /** Replaced for each event of a subscription. */
  loaders: Loaders;
  readonly record: RequestRecord;
  /** Authenticates the caller again: a subscription outlives keys and tokens. */
  readonly isStillCaller: () => Promise<boolean>;
}

export function contextOf(
  { world, events }: Foundation,
  caller: Caller,
  record: RequestRecord,
  authorization: string | null,
): Context {
  return {
    world,
    events,
    caller,
    record,
    loaders: new Loaders(world, caller),
    isStillCaller: () => isStillValid(world, authorization, record.requestId),
  };
}
