import { randomUUID } from 'node:crypto';
import { recordEvent } from '../audit/record-event.ts';
import { query } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { hashOf, newSecret, prefixOf } from '../identity/secret.ts';
import { ApiKey } from '../model/api-key.entity.ts';
import { type KeyId, keyIds, orgIds } from '../model/ids.ts';
import type { World } from '../world.ts';

export type RotateOwnerKeyOutcome =
  | {
      readonly kind: 'owner_key_rotated';
      readonly id: KeyId;
      readonly secret: string;
      readonly revoked: readonly KeyId[];
    }
  | { readonly kind: 'no_such_org' };

const LABEL = 'rotated owner';

/**
 * Gives an org a new owner key and revokes every other one that it has, in one transaction. For the operator: a caller
 * cannot make owner keys. Every replica refuses the old ones from the next request on.
 */
export async function rotateOwnerKey(
  { database }: Pick<World, 'database'>,
  slug: string,
): Promise<RotateOwnerKeyOutcome> {
  const secret = newSecret();
  return database.acrossOrgs('operator').transactional(async (em) => {
    // Locked, so that of two rotations at once the later one revokes the key of the earlier.
    const [org] = await query<{ id: string }>(
      em,
      'select id from orgs where slug = $1 for no key update',
      [slug],
    );
    if (org === undefined) return { kind: 'no_such_org' };
    const records = await query<{ id: string }>(
      em,
      `update api_keys set revoked_at = now()
       where org_id = $1 and permission_set = 'OWNER' and revoked_at is null returning id`,
      [org.id],
    );
    const id = keyIds.create();
    const orgId = orgIds.of(org.id);
    em.create(ApiKey, {
      id,
      org: orgId,
      label: LABEL,
      prefix: prefixOf(secret),
      secretHash: hashOf(secret),
      permissionSet: 'OWNER',
      lastUsedAt: null,
      revokedAt: null,
    });
    const operator: Caller = {
      orgId,
      orgSlug: slug,
      scopes: new Set(),
      principal: { kind: 'user', userId: 'operator', expiresAt: null },
      requestId: randomUUID(),
    };
    recordEvent(em, operator, 'API_KEY_CREATED', id, { label: LABEL, permissionSet: 'OWNER' });
    const revoked = records.map((record) => keyIds.of(record.id));
    for (const old of revoked)
      recordEvent(em, operator, 'API_KEY_REVOKED', old, { by: 'rotation' });
    return { kind: 'owner_key_rotated', id, secret, revoked };
  });
}
