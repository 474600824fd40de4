import { acrossOrgs } from '../database/cross-org.ts';
import { keepLease, type Lease, releaseLease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import { invalidField } from '../input.ts';
import { Pack, type PackVisibility } from '../model/pack.entity.ts';
import type { PackRow } from '../model/pack-row.ts';
import { rowsOf } from '../model/rows-of.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Digest } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { addPack } from './add-pack.ts';
import { mostTarBytes } from './archive/read-archive.ts';
import { awaitLease } from './await-lease.ts';
import { beingDeleted } from './being-deleted.ts';
import { isForeign, type OpenedSource, openImageSource } from './image-source.ts';
import { NO_SUCH_IMAGE, type ReadPackImageOutcome, readPackImage } from './read-pack-image.ts';

export interface CreatePackFromImageInput {
  readonly imageRef: string;
  readonly visibility: PackVisibility;
}

export type CreatePackFromImageOutcome =
  | { readonly kind: 'pack_created'; readonly pack: PackRow }
  | ProblemOf<'validation_failed' | 'name_taken' | 'pack_being_deleted' | 'registry_unavailable'>;

/** Makes a pack of an image that is in a registry already; deleting the pack later leaves the image alone. */
export async function createPackFromImage(
  world: World,
  caller: Caller,
  { imageRef, visibility }: CreatePackFromImageInput,
): Promise<CreatePackFromImageOutcome> {
  const opened = await openImageSource(world, imageRef);
  if (typeof opened === 'string') return invalidReference(opened);
  await using source = opened;
  if (isForeign(world, caller, source)) return invalidReference(NO_SUCH_IMAGE);
  // No deletion can purge the image between our look at it and the row that holds it.
  const leased = await awaitLease(world, source.place);
  if (leased.kind !== 'leased') return leased;
  const { lease } = leased;
  const outcome = await create(world, caller, source, visibility, lease);
  if (outcome.kind !== 'pack_created') await releaseLease(world.database, lease);
  return outcome;
}

async function create(
  world: World,
  caller: Caller,
  source: OpenedSource,
  visibility: PackVisibility,
  lease: Lease,
): Promise<CreatePackFromImageOutcome> {
  const image = await readUnderLease(world, caller, source, lease);
  if (image.kind === 'failed') return { kind: 'registry_unavailable', failure: image };
  if (image.kind === 'invalid') return { kind: 'validation_failed', fields: image.fields };
  const { metadata, digest, sizeBytes } = image;
  const dying = await findDying(world, caller, source.place, digest);
  if (dying !== null) return dying;
  const { place: repository, imageRef: ref } = source;
  const added = await addPack(
    world,
    caller,
    { metadata, visibility, image: { origin: 'IMAGE_REF', repository, ref, digest, sizeBytes } },
    lease,
    'PACK_CREATED',
  );
  return added.kind === 'added' ? { kind: 'pack_created', pack: added.pack } : added;
}

/** Reads the image and keeps the lease alive meanwhile. */
export async function readUnderLease(
  { database, config, parserThread }: World,
  { orgId }: Caller,
  { registry, repository, reference }: OpenedSource,
  lease: Lease,
): Promise<ReadPackImageOutcome> {
  using kept = keepLease(database, lease);
  // Awaited: the lease is kept until this is over, and not only until it has begun.
  return await readPackImage(registry, repository, reference, {
    signal: kept.signal,
    maxUnpackedBytes: mostTarBytes(config.maxArchiveBytes),
    parserThread: parserThread.of(orgId),
  });
}

const dyingRows = rowsOf(Pack, 'p', ['id', 'name', 'org']);

/** The refusal of an image that a deletion has begun to purge. */
export async function findDying(
  { database }: World,
  caller: Caller,
  place: string,
  digest: Digest,
): Promise<ProblemOf<'pack_being_deleted' | 'validation_failed'> | null> {
  const [record] = await database.query<object>(
    `select ${acrossOrgs('image shared')} ${dyingRows.columns}
     from packs p where p.repository = $1 and p.image_digest = $2 and p.status <> 'ACTIVE'
     order by (p.org_id is not distinct from $3::uuid) desc limit 1`,
    [place, digest, caller.orgId],
  );
  if (record === undefined) return null;
  const dying = dyingRows.ofRecord(record);
  return dying.org === caller.orgId ? beingDeleted(caller, dying) : invalidReference(NO_SUCH_IMAGE);
}

/** A problem with the reference that the caller sent. */
export const invalidReference = (message: string): ProblemOf<'validation_failed'> =>
  invalidField('imageRef', message);
