/** `Authorization: Bearer …` -> Caller. */
import { timingSafeEqual } from 'node:crypto';
import type { JwtConfig } from '../config.ts';
import { acrossOrgs } from '../database/cross-org.ts';
import type { KeyId } from '../model/ids.ts';
import type { World } from '../world.ts';
import { type Caller, templates } from './caller.ts';
import { FailedAttempts } from './failed-attempts.ts';
import { findKeyByHash, LAST_USED_RESOLUTION } from './key-lookup.ts';
import { hashOf } from './secret.ts';

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
  const attempts = new FailedAttempts();
  return async (authorization, { requestId, address }) => {
    const token = tokenOf(authorization);
    if (token === null) return null;
    const hash = hashOf(token);
    attempts.admit(hash);
    const caller = await callerOf(world, token, hash, requestId);
    if (caller === null) attempts.failed(hash, address);
    return caller;
  };
}

/**
 * Whether a caller who was authenticated once may still call. It is not counted as an attempt, and failed attempts of
 * others do not matter: a stream must not outlive its token because others have sent bad ones, nor end because of them.
 * @throws RequestRefused `service_unavailable` where that cannot be told now
 */
export async function isStillValid(
  world: World,
  authorization: string | null,
  requestId: string,
): Promise<boolean> {
  const token = tokenOf(authorization);
  return token !== null && (await callerOf(world, token, hashOf(token), requestId)) !== null;
}

const tokenOf = (authorization: string | null): string | null =>
  /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? null;

const callerOf = (
  world: World,
  token: string,
  hash: Buffer,
  requestId: string,
): Promise<Caller | null> =>
  world.config.jwt !== null && isJwt(token)
    ? callerOfSession(world, world.config.jwt, token, requestId)
    : authenticateKey(world, hash, requestId);

/** Whether a token has the form of a JWT, which no API key has. */
const isJwt = (token: string): boolean => /^[\w-]+\.[\w-]+\.[\w-]*$/.test(token);

async function callerOfSession(
  world: World,
  jwt: JwtConfig,
  token: string,
  requestId: string,
): Promise<Caller | null> {
  // Loaded only where there are sessions: what checks them takes time to load.
  const { authenticateSession } = await import('./session.ts');
  return authenticateSession(world, jwt, token, requestId);
}

/** Every secret is looked up, whatever it looks like, so that the time taken tells nothing about it. */
async function authenticateKey(
  world: World,
  hash: Buffer,
  requestId: string,
): Promise<Caller | null> {
  const key = await findKeyByHash(world.database, hash);
  // The index compares byte by byte; it is this comparison that decides.
  if (key === null || !timingSafeEqual(hash, key.secret_hash)) return null;
  if (key.stale) touch(world, key.id);
  return {
    orgId: key.org,
    orgSlug: key.slug,
    scopes: templates[key.permissionSet],
    principal: { kind: 'api_key', keyId: key.id },
    requestId,
  };
}

/** Notes the use of a key without making the request wait for it, or fail with it. */
function touch({ database, log }: World, keyId: KeyId): void {
  database
    .query(
      // A row that is locked is skipped: by another touch, or by a revocation that is not committed yet.
      `update ${acrossOrgs('touch key')} api_keys set last_used_at = now()
       where id = (
         select id from api_keys
         where id = $1::uuid and (last_used_at is null or last_used_at < now() - interval '${LAST_USED_RESOLUTION}')
         for no key update skip locked
       )`,
      [keyId],
    )
    .catch((error: unknown) => log.warn({ err: error }, 'lastUsedAt of a key was not written'));
}
