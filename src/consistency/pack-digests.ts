import type { Database } from '../database/database.ts';
import { digestsIn } from '../packs/held-digests.ts';
import type { Digest, Repository } from '../registry/registry.ts';

export const imageKey = (repository: Repository, digest: Digest): string =>
  `${repository}@${digest}`;

/** The digests that packs of any org have in a repository, and whether somebody may write to it; one snapshot. */
export async function packDigests(
  database: Database,
  repository: Repository,
): Promise<{ readonly held: ReadonlySet<Digest>; readonly leased: boolean }> {
  const [row] = await database.query<{ held: Digest[]; leased: boolean }>(
    `select array(${digestsIn('$1')}) as held, exists (
       select 1 from repository_leases l
       where l.repository = $1 and l.expires_at >= clock_timestamp()
     ) as leased`,
    [repository],
  );
  return { held: new Set(row?.held), leased: row?.leased ?? false };
}
