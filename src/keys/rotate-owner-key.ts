import { randomUUID } from 'node:crypto';
import { LockMode } from '@mikro-orm/core';
import { recordEvent } from '../audit/record-event.ts';
import type { Caller } from '../identity/caller.ts';
import { hashOf, newSecret, prefixOf } from '../identity/secret.ts';
import { ApiKey } from '../model/api-key.entity.ts';
import { type KeyId, keyIds } from '../model/ids.ts';
import { Org } from '../model/org.entity.ts';
import type { World } from '../world.ts';

export interface RotatedOwnerKey {
  readonly kind: 'owner_key_rotated';
  readonly id: KeyId;
  readonly secret: string;
  readonly revoked: readonly KeyId[];
}

export type RotateOwnerKeyOutcome = RotatedOwnerKey | { readonly kind: 'no_such_org' };

const LABEL = 'rotated owner';

/**
 * Gives an org a new owner key and revokes every other one that it has, in one transaction. For the operator: a caller
 * cannot make owner keys. Every replica refuses the old ones from the next request on.
 * @param show is handed the new key before it is good: where it throws, the old ones stay
 */
export async function rotateOwnerKey(
  { database }: Pick<World, 'database'>,
  slug: string,
  show: (rotated: RotatedOwnerKey) => void = () => undefined,
): Promise<RotateOwnerKeyOutcome> {
  const secret = newSecret();
  return database.acrossOrgs('operator').transactional(async (em) => {
    // Locked, so that of two rotations at once the later one revokes the key of the earlier.
    const org = await em.findOne(Org, { slug }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    if (org === null) return { kind: 'no_such_org' };
    const { id: orgId } = org;
    const owners = await em.find(
      ApiKey,
      { org: orgId, permissionSet: 'OWNER', revokedAt: null },
      { fields: ['id'], orderBy: { id: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    const revoked = owners.map(({ id }) => id);
    await em.nativeUpdate(ApiKey, { id: { $in: revoked }, org: orgId }, { revokedAt: new Date() });
    const id = keyIds.create();
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
      principal: { kind: 'service', name: 'operator' },
      requestId: randomUUID(),
    };
    recordEvent(em, operator, 'API_KEY_CREATED', id, { label: LABEL, permissionSet: 'OWNER' });
    for (const old of revoked) {
      recordEvent(em, operator, 'API_KEY_REVOKED', old, { by: 'rotation' });
    }
    await em.flush();
    const rotated = { kind: 'owner_key_rotated', id, secret, revoked } as const;
    show(rotated);
    return rotated;
  });
}
