/** DataLoader against N+1, as Apollo's and Yoga's documentation have it. */
import DataLoader from 'dataloader';
import type { Pool } from 'pg';
import type { Caller } from './caller.ts';
import { type RoleAnswer, rolesOfPacks } from './read-packs.ts';

/** What every resolver of these servers is handed. */
export interface Context {
  readonly caller: Caller;
  readonly roles: DataLoader<{ id: string; first: number }, RoleAnswer[], string>;
}

export function roleLoader(pool: Pool, caller: Caller): Context['roles'] {
  return new DataLoader(
    async (keys) => {
      const first = Math.max(...keys.map((key) => key.first));
      const ids = keys.map(({ id }) => id);
      const lists = await rolesOfPacks(pool, caller, ids, first);
      return lists.map((roles, index) => roles.slice(0, keys[index]?.first));
    },
    { cacheKeyFn: ({ id, first }) => `${id} ${first}` },
  );
}
