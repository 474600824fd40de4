import type { Caller } from '../identity/caller.ts';
import { type PackId, packIds, uuidOf } from '../model/ids.ts';
import type { World } from '../world.ts';
import { type DeletionVerdict, deletionVerdict } from './deletion-verdict.ts';

/** What `deletePack` would answer now for each pack that the caller's org owns; the others are left out. */
export async function previewDeletions(
  { database }: World,
  caller: Caller,
  packs: readonly PackId[],
): Promise<Map<PackId, DeletionVerdict>> {
  const rows = await database.query<DeletionVerdict & { id: string }>(
    `select p.id, ${deletionVerdict} from packs p where p.id = any($1) and p.org_id = $2`,
    [packs.map(uuidOf), uuidOf(caller.orgId)],
  );
  return new Map(rows.map((row) => [packIds.of(row.id), row]));
}
