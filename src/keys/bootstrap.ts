import { advisoryLocks } from '../database/advisory-locks.ts';
import { type Database, query } from '../database/database.ts';
import { hashOf, newSecret, prefixOf } from '../identity/secret.ts';
import { ApiKey } from '../model/api-key.entity.ts';
import { keyIds, orgIds } from '../model/ids.ts';
import { Org } from '../model/org.entity.ts';

/**
 * Makes the first org and its owner key in a database that holds no org yet.
 * @param show is handed a secret that was not given, before it is good: where it throws, nothing has been made
 */
export async function bootstrap(
  database: Database,
  { org: slug, apiKey }: { readonly org: string; readonly apiKey: string | null },
  show: (secret: string) => void = () => undefined,
): Promise<void> {
  const secret = apiKey ?? newSecret();
  await database.acrossOrgs('first org').transactional(async (em) => {
    // Replicas that start together: one makes the org, the others find it.
    await query(em, 'select pg_advisory_xact_lock($1)', [advisoryLocks.bootstrap]);
    if ((await em.count(Org)) > 0) return;
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
    await em.flush();
    if (apiKey === null) show(secret);
  });
}
