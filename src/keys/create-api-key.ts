import { z } from 'zod';
import { recordEvent } from '../audit/record-event.ts';
import type { Caller } from '../identity/caller.ts';
import { hashOf, newSecret, prefixOf } from '../identity/secret.ts';
import { singleLine, validate } from '../input.ts';
import { ApiKey, permissionSets } from '../model/api-key.entity.ts';
import { keyIds } from '../model/ids.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import type { KeyRow } from './find-key.ts';

const createApiKeyInput = z.object({
  label: singleLine(255),
  permissionSet: z
    .enum(permissionSets)
    .refine(
      (value) => value !== 'OWNER',
      'must be FULL_ACCESS or READ_ONLY: only the operator makes owner keys',
    ),
});

export type CreateApiKeyOutcome =
  | { readonly kind: 'key_created'; readonly key: KeyRow; readonly secret: string }
  | ProblemOf<'validation_failed'>;

/** Makes a key of the caller's org. Its secret is in this answer and nowhere else: only a hash of it is stored. */
export async function createApiKey(
  { database }: World,
  caller: Caller,
  input: { readonly label: string; readonly permissionSet: string },
): Promise<CreateApiKeyOutcome> {
  const valid = validate(createApiKeyInput, input);
  if (valid.kind === 'validation_failed') return valid;
  const { label, permissionSet } = valid.value;
  const secret = newSecret();
  const key = await database.forOrg(caller.orgId).transactional(async (em) => {
    const created = em.create(ApiKey, {
      id: keyIds.create(),
      org: caller.orgId,
      label,
      prefix: prefixOf(secret),
      secretHash: hashOf(secret),
      permissionSet,
      lastUsedAt: null,
      revokedAt: null,
    });
    recordEvent(em, caller, 'API_KEY_CREATED', created.id, { label, permissionSet });
    return created;
  });
  return { kind: 'key_created', key, secret };
}
