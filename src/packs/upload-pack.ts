import { keepLease, releaseLease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import type { PackVisibility } from '../model/pack.entity.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { addPushedPack } from './add-pushed-pack.ts';
import type { PackImage } from './archive/build-image.ts';
import { imageLocation } from './image-location.ts';
import type { PackMetadata } from './pack-metadata.ts';
import { reserveName } from './reserve-name.ts';
import { withPackImage } from './with-pack-image.ts';

export interface UploadPackInput {
  /** Path of the `.tar.gz`; it stays the caller's to remove. */
  readonly archive: string;
  readonly visibility: PackVisibility;
}

export type UploadPackOutcome =
  | { readonly kind: 'uploaded'; readonly pack: PackRow }
  | ProblemOf<'validation_failed' | 'name_taken' | 'pack_being_deleted' | 'registry_unavailable'>;

/** Makes a pack of an archive: checks it, pushes its image, and only then writes the row. */
export async function uploadPack(
  world: World,
  caller: Caller,
  { archive, visibility }: UploadPackInput,
): Promise<UploadPackOutcome> {
  return withPackImage(world, caller.orgId, archive, (metadata, image) =>
    publish(world, caller, metadata, visibility, image),
  );
}

async function publish(
  world: World,
  caller: Caller,
  metadata: PackMetadata,
  visibility: PackVisibility,
  image: PackImage,
): Promise<UploadPackOutcome> {
  const { registry, config, database } = world;
  const location = imageLocation(registry, config.registry.namespace, caller.orgSlug, metadata);
  const reserved = await reserveName(world, caller, metadata.name, location.repository);
  if (reserved.kind !== 'reserved') return reserved;
  const { lease } = reserved;
  using kept = keepLease(database, lease);
  const { repository, tag, imageRef } = location;
  const pushed = await registry.push(repository, tag, image, kept);
  if (pushed.kind === 'failed') {
    await releaseLease(database, lease);
    return { kind: 'registry_unavailable', failure: pushed };
  }
  const { sizeBytes } = image;
  const { digest } = image.descriptor;
  const pushedImage = { origin: 'UPLOAD', repository, ref: imageRef, digest, sizeBytes } as const;
  const newPack = { metadata, visibility, image: pushedImage };
  const added = await addPushedPack(world, caller, newPack, 'PACK_UPLOADED', lease, kept);
  return added.kind === 'added' ? { kind: 'uploaded', pack: added.pack } : added;
}
