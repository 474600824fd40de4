import { acrossOrgs } from '../database/cross-org.ts';
import { type Database, query } from '../database/database.ts';
import { hashOf, newSecret, prefixOf } from '../identity/secret.ts';
import { newUuid } from '../model/ids.ts';

/**
 * Makes the first org and its owner key in a database that holds no org yet.
 * @returns the secret, when it was made here and now; null when there was nothing to do or the secret was given
 */
export async function bootstrap(
  database: Database,
  { org, apiKey }: { readonly org: string; readonly apiKey: string | null },
): Promise<string | null> {
  const secret = apiKey ?? newSecret();
  const made = await database.acrossOrgs().transactional(async (em) => {
    // Replicas that start together: one makes the org, the others find it.
    await query(em, 'select pg_advisory_xact_lock($1)', [BOOTSTRAP_LOCK]);
    const [row] = await query<{ id: string }>(
      em,
      `insert into orgs (id, slug, created_at)
       select $1, $2, now() where not exists (select 1 from orgs) returning id`,
      [newUuid(), org],
    );
    if (row === undefined) return false;
    await query(
      em,
      `insert ${acrossOrgs('bootstrap key')}
       into api_keys (id, org_id, label, prefix, secret_hash, permission_set, created_at)
       values ($1, $2, 'bootstrap owner', $3, $4, 'OWNER', now())`,
      [newUuid(), row.id, prefixOf(secret), hashOf(secret)],
    );
    return true;
  });
  return made && apiKey === null ? secret : null;
}

/** Any constant that nobody else locks in this database; a lock of the table would need the right to change it. */
const BOOTSTRAP_LOCK = 4_207_112_025;
