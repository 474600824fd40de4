import { recordEvent } from '../audit/record-event.ts';
import { query } from '../database/database.ts';
import type { Caller } from '../identity/caller.ts';
import { invalidField } from '../input.ts';
import { ApiKey } from '../model/api-key.entity.ts';
import { keyIds } from '../model/ids.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { type KeyRow, keyRows } from './find-key.ts';

export type RevokeApiKeyOutcome =
  | { readonly kind: 'key_revoked'; readonly key: KeyRow }
  | ProblemOf<'not_found' | 'validation_failed'>;

/**
 * Revokes a key of the caller's org; every replica refuses it from the next request on.
 *
 * A key that is revoked already is not found. The org's last owner key stays: nobody could make keys after it.
 */
export async function revokeApiKey(
  { database }: World,
  caller: Caller,
  id: string,
): Promise<RevokeApiKeyOutcome> {
  const keyId = keyIds.parse(id);
  if (keyId === null) return { kind: 'not_found', subject: 'api_key', id };
  return database.forOrg(caller.orgId).transactional(async (em) => {
    // The owner keys are locked with it, in the order of ids, so that two calls cannot take the last two. In SQL that
    // binds its values: the plan for the org with the most keys would read every org's (decision 7).
    const records = await query<object>(
      em,
      `select ${keyRows.columns} from api_keys k
       where k.org_id = $2::uuid and k.revoked_at is null and (k.id = $1::uuid or k.permission_set = 'OWNER')
       order by k.id for update`,
      [keyId, caller.orgId],
    );
    const keys = records.map(keyRows.ofRecord);
    const key = keys.find((one) => one.id === keyId);
    if (key === undefined) return { kind: 'not_found', subject: 'api_key', id };
    const owners = keys.filter(({ permissionSet }) => permissionSet === 'OWNER');
    if (key.permissionSet === 'OWNER' && owners.length === 1) {
      const message = "is the org's last owner key: without it nobody could make or revoke keys";
      return invalidField('id', message);
    }
    await em.nativeUpdate(ApiKey, { id: keyId }, { revokedAt: new Date() });
    recordEvent(em, caller, 'API_KEY_REVOKED', keyId, { label: key.label });
    return { kind: 'key_revoked', key };
  });
}
