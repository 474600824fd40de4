import { USUAL_ORG } from '../config.ts';
import { acrossOrgs } from '../database/cross-org.ts';
import type { Database } from '../database/database.ts';
import { hashOf } from '../identity/secret.ts';

/**
 * Which of the values that `bootstrap` would make the first org of are not those of the database: it had an org already.
 * @returns a warning for each
 */
export async function unusedBootstrap(
  database: Database,
  { org: slug, apiKey }: { readonly org: string; readonly apiKey: string | null },
): Promise<string[]> {
  if (slug === USUAL_ORG && apiKey === null) return [];
  const [found] = await database.query<{ org: boolean; key: boolean }>(
    `select ${acrossOrgs('first org')} exists (select 1 from orgs where slug = $1) as org,
       exists (select 1 from api_keys where secret_hash = $2 and revoked_at is null) as key`,
    [slug, apiKey === null ? null : hashOf(apiKey)],
  );
  return [
    ...(slug !== USUAL_ORG && found?.org === false ? [NO_SUCH_ORG] : []),
    ...(apiKey !== null && found?.key === false ? [NO_SUCH_KEY] : []),
  ];
}

const NO_SUCH_ORG =
  'BOOTSTRAP_ORG is not used: the database has an org already, and none of this slug';
const NO_SUCH_KEY =
  'BOOTSTRAP_API_KEY is not used: the database has an org already, and there this is no key, or a revoked one; ' +
  '`npm run rotate-owner-key` makes a new owner key';
