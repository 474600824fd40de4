import { advisoryLocks } from '../database/advisory-locks.ts';
import { type Database, query } from '../database/database.ts';
import { hashOf, newSecret, prefixOf } from '../identity/secret.ts';
import { ApiKey } from '../model/api-key.entity.ts';
import { keyIds, orgIds } from '../model/ids.ts';
import { Org } from '../model/org.entity.ts';

/**
 * Makes the first org and its owner key in a database that holds no org yet.
 * @returns the secret, when it was made here and now; null when there was nothing to do or the secret was given
 */
export async function bootstrap(
  database: Database,
  { org: slug, apiKey }: { readonly org: string; readonly apiKey: string | null },
): Promise<string | null> {
  const secret = apiKey ?? newSecret();
  const made = await database.acrossOrgs('first org').transactional(async (em) => {
    // Replicas that start together: one makes the org, the others find it.
    await query(em, 'select pg_advisory_xact_lock($1)', [advisoryLocks.bootstrap]);
    if ((await em.count(Org)) > 0) return false;
    const org = em.create(Org, { id: orgIds.create(), slug });
    em.create(ApiKey, {
      id: keyIds.create(),
      org: org.id,
      label: 'bootstrap owner',
      prefix: prefixOf(secret),
      secretHash: hashOf(secret),
      permissionSet: 'OWNER',
      lastUsedAt: null,
      revokedAt: null,
    });
    return true;
  });
  return made && apiKey === null ? secret : null;
}
