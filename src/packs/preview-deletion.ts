import type { Caller } from '../identity/caller.ts';
import type { PackId } from '../model/ids.ts';
import { Pack } from '../model/pack.entity.ts';
import { rowsOf } from '../model/rows-of.ts';
import { inParallel } from '../registry/in-parallel.ts';
import type { Digest } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { type DeletionVerdict, deletionVerdict } from './deletion-verdict.ts';
import { digestsIn } from './held-digests.ts';
import type { ImageDisposition } from './image-disposition.ts';

const previewRows = rowsOf(Pack, 'p', ['id', 'repository', 'imageDigest']);

/** What the database says of a deletion. */
interface Previewed extends DeletionVerdict {
  /** Digests in the same repository that other packs point at. */
  readonly held: readonly Digest[];
}

/** That, and what the registry has to be asked with. */
export type DeletionPreview = ReturnType<typeof previewRows.ofRecord> & Previewed;

/** What `deletePack` would answer now for each pack that the caller's org owns; the others are left out. */
export async function previewDeletions(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  packs: readonly PackId[],
): Promise<DeletionPreview[]> {
  const records = await database.query<Previewed>(
    `select ${previewRows.columns}, ${deletionVerdict},
       array(${digestsIn('p.repository')} and o.id <> p.id) as held
     from packs p where p.id = any($1::uuid[]) and p.org_id = $2::uuid`,
    [packs, caller.orgId],
  );
  return records.map(previewRows.ofRecord);
}

/** The whole time that the registry has for all previews of a request. */
const PATIENCE_MS = 2_000;
const AT_ONCE = 8;

/**
 * What would become of the images. Where the registry would be called, it is asked what it would do: it alone knows of
 * an index of somebody else that names the image, and whether the image is there. One that does not say so in time,
 * or at all, is no failure: then what the database says stands.
 */
export async function foreseeImages(
  { registry }: Pick<World, 'registry'>,
  previews: readonly DeletionPreview[],
): Promise<ImageDisposition[]> {
  const images: ImageDisposition[] = previews.map(({ image }) => image);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  await inParallel(previews.entries(), AT_ONCE, async ([at, preview]) => {
    const { in_use, image, repository, imageDigest, held } = preview;
    if (in_use || image !== 'PURGED' || imageDigest === null || signal.aborted) return;
    const options = { held: new Set(held), signal };
    const foreseen = await registry.foreseePurge(repository, imageDigest, options);
    if (foreseen.kind !== 'failed') images[at] = DISPOSITIONS[foreseen.kind];
  });
  return images;
}

const DISPOSITIONS = {
  purged: 'PURGED',
  already_gone: 'ALREADY_GONE',
  retained_shared: 'RETAINED_SHARED',
} as const;
