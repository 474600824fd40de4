import type { SqlEntityManager } from '@mikro-orm/sql';
import { acrossOrgs } from '../database/cross-org.ts';
import { type Database, query } from '../database/database.ts';
import type { Digest } from '../registry/registry.ts';

/**
 * A query: the digests that packs of any org have in a repository. It calls their table `o`, and further conditions
 * may follow it.
 * @param repository an expression, of what `packs.repository` holds
 */
export const digestsIn = (repository: '$1' | 'p.repository'): string =>
  `select ${acrossOrgs('image shared')} o.image_digest from packs o
   where o.repository = ${repository} and o.image_digest is not null`;

/** The digests that packs of any org have in a repository (`packs.repository`). */
export async function heldDigests(
  source: SqlEntityManager | Database,
  repository: string,
): Promise<ReadonlySet<Digest>> {
  const rows = await query<{ image_digest: Digest }>(source, digestsIn('$1'), [repository]);
  return new Set(rows.map(({ image_digest }) => image_digest));
}
