import { authenticate } from '../identity/authenticate.ts';
import type { Caller } from '../identity/caller.ts';
import type { RequestRecord } from '../request-record.ts';
import type { Services } from '../services.ts';
import { createLoaders, type Loaders } from './loaders.ts';

/** What every resolver is handed. */
export interface Context {
  readonly services: Services;
  readonly caller: Caller;
  /** Replaced for each event of a subscription. */
  loaders: Loaders;
  readonly record: RequestRecord;
  /** Authenticates the caller again: a subscription outlives keys and tokens. */
  readonly isStillCaller: () => Promise<boolean>;
}

export function contextOf(
  services: Services,
  caller: Caller,
  record: RequestRecord,
  authorization: string | null,
): Context {
  return {
    services,
    caller,
    record,
    loaders: createLoaders(services, caller),
    isStillCaller: async () =>
      (await authenticate(services, authorization, record.requestId)) !== null,
  };
}
