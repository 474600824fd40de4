/** `Authorization: Bearer …` -> Caller. */
import { timingSafeEqual } from 'node:crypto';
import { acrossOrgs } from '../database/cross-org.ts';
import { keyIds, orgIds } from '../model/ids.ts';
import type { World } from '../world.ts';
import { type Caller, templates } from './caller.ts';
import { FailedAttempts } from './failed-attempts.ts';
import { findKeyByHash, LAST_USED_RESOLUTION } from './key-lookup.ts';
import { hashOf } from './secret.ts';
import { authenticateSession, isJwt } from './session.ts';

/** The request that a token came with. */
export interface Arrived {
  readonly requestId: string;
  /** Who sent it, as far as the socket tells; null where there is none. */
  readonly address: string | null;
}

/**
 * The caller that a request's `Authorization` header stands for, or null where it stands for nobody.
 *
 * Asks the database each time: a revoked key is refused by every replica from the next request on.
 * @throws RequestRefused `service_unavailable` where a session token cannot be checked,
 * `rate_limited` where too many tokens were not valid (`failed-attempts.ts`)
 */
export type Authenticate = (
  authorization: string | null,
  arrived: Arrived,
) => Promise<Caller | null>;

/** Authentication that remembers who failed, for as long as it is used. */
export function createAuthenticate(world: World): Authenticate {
  const { jwt } = world.config;
  const attempts = new FailedAttempts();
  return async (authorization, { requestId, address }) => {
    const token = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return null;
    const hash = hashOf(token);
    attempts.admit(hash);
    const caller =
      jwt !== null && isJwt(token)
        ? await authenticateSession(world, jwt, token, requestId)
        : await authenticateKey(world, hash, requestId);
    if (caller === null) attempts.failed(hash, address);
    return caller;
  };
}

/** Whatever the secret looks like, it is looked up: the time taken tells nothing about it. */
async function authenticateKey(
  world: World,
  hash: Buffer,
  requestId: string,
): Promise<Caller | null> {
  const key = await findKeyByHash(world.database, hash);
  // The index compares byte by byte; this comparison is the one that admits.
  if (key === null || !timingSafeEqual(hash, key.secret_hash)) return null;
  if (key.stale) touch(world, key.id);
  return {
    orgId: orgIds.of(key.org_id),
    orgSlug: key.slug,
    scopes: templates[key.permission_set],
    principal: { kind: 'api_key', keyId: keyIds.of(key.id) },
    requestId,
  };
}

/** Notes the use of a key, beside the request: a caller does not wait for it, nor fail with it. */
function touch({ database, log }: World, keyId: string): void {
  database
    .query(
      `update ${acrossOrgs('touch key')} api_keys set last_used_at = now()
       where id = $1 and (last_used_at is null or last_used_at < now() - interval '${LAST_USED_RESOLUTION}')`,
      [keyId],
    )
    .catch((error: unknown) => log.warn({ err: error }, 'lastUsedAt of a key was not written'));
}
