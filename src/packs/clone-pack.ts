import { keepLease, releaseLease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import { invalidField } from '../input.ts';
import { packIds } from '../model/ids.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Digest, ImageSource } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { describedBy } from './add-pack.ts';
import { addPushedPack } from './add-pushed-pack.ts';
import { beingDeleted } from './being-deleted.ts';
import { findPack } from './find-pack.ts';
import { imageLocation } from './image-location.ts';
import { isElsewhere, type OpenedSource, openImageSource } from './image-source.ts';
import { isPackName, PACK_NAME_RULE } from './pack-name.ts';
import { reserveName } from './reserve-name.ts';

export interface ClonePackInput {
  /** As the caller sent it; what is no pack id is not found. */
  readonly id: string;
  /** The source's name when left out. */
  readonly name?: string | null | undefined;
}

export type ClonePackOutcome =
  | { readonly kind: 'cloned'; readonly pack: PackRow }
  | ProblemOf<
      | 'not_found'
      | 'validation_failed'
      | 'name_taken'
      | 'pack_being_deleted'
      | 'registry_unavailable'
    >;

/**
 * Copies a pack that the caller may see into the caller's org, image included: it lives on when the source is deleted.
 */
export async function clonePack(
  world: World,
  caller: Caller,
  { id, name: wanted }: ClonePackInput,
): Promise<ClonePackOutcome> {
  const packId = packIds.parse(id);
  if (packId === null) return { kind: 'not_found', subject: 'pack', id };
  const name = wanted ?? null;
  if (name !== null && !isPackName(name)) {
    return invalidField('name', PACK_NAME_RULE);
  }
  const source = await findPack(world.database, caller, packId);
  if (source === null) return { kind: 'not_found', subject: 'pack', id };
  if (source.status !== 'ACTIVE') return beingDeleted(caller, source);
  if (source.imageDigest === null) return invalidField('id', 'is a pack whose image is not known');
  const opened = isElsewhere(source) ? await openImageSource(world, source.imageRef) : null;
  if (typeof opened === 'string')
    return invalidField('id', `is a pack whose image reference ${opened}`);
  await using elsewhere = opened;
  const from = elsewhere === null ? { repository: source.repository } : copySource(elsewhere);
  // Awaited here, or the other registry would be closed under the copy.
  return await copyTo(world, caller, source, from, source.imageDigest, name ?? source.name);
}

/** The configured registry copies within itself where it is not told another one. */
const copySource = ({ repository, registry, isOwn }: OpenedSource): ImageSource => ({
  repository,
  ...(isOwn ? {} : { registry }),
});

async function copyTo(
  world: World,
  caller: Caller,
  source: PackRow,
  from: ImageSource,
  digest: Digest,
  name: string,
): Promise<ClonePackOutcome> {
  const { registry, config, database } = world;
  const metadata = { ...describedBy(source), name, description: source.description ?? '' };
  const location = imageLocation(registry, config.registry.namespace, caller.orgSlug, metadata);
  const { repository, tag, imageRef } = location;
  const reserved = await reserveName(world, caller, name, repository);
  if (reserved.kind !== 'reserved') return reserved;
  const { lease } = reserved;
  using kept = keepLease(database, lease);
  const copied = await registry.copyImage(from, digest, repository, tag, kept);
  if (copied.kind !== 'copied') {
    await releaseLease(database, lease);
    return copied.kind === 'failed'
      ? { kind: 'registry_unavailable', failure: copied }
      : sourceGone(world, caller, source);
  }
  const { sizeBytes } = source;
  const image = { origin: 'CLONE', repository, ref: imageRef, digest, sizeBytes } as const;
  const newPack = { metadata, visibility: 'ORG', image } as const;
  const added = await addPushedPack(world, caller, newPack, 'PACK_CLONED', lease, kept);
  return added.kind === 'added' ? { kind: 'cloned', pack: added.pack } : added;
}

/** The image went while we copied: most likely with its pack. */
async function sourceGone(
  { database }: World,
  caller: Caller,
  { id }: PackRow,
): Promise<ClonePackOutcome> {
  const pack = await findPack(database, caller, id);
  if (pack === null) return { kind: 'not_found', subject: 'pack', id };
  if (pack.status !== 'ACTIVE') return beingDeleted(caller, pack);
  return invalidField('id', 'is a pack whose image is not in its registry any more');
}
