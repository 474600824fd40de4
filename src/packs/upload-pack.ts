import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepLease, type Lease, releaseLease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { Services } from '../services.ts';
import { addPack } from './add-pack.ts';
import { buildPackImage, type PackImage } from './archive/build-image.ts';
import { readPackArchive } from './archive/read-archive.ts';
import { type ImageLocation, imageLocation } from './image-location.ts';
import type { PackVisibility } from './pack.entity.ts';
import type { PackMetadata } from './pack-metadata.ts';
import type { PackRow } from './pack-row.ts';
import { reserveName } from './reserve-name.ts';

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
  services: Services,
  caller: Caller,
  { archive, visibility }: UploadPackInput,
): Promise<UploadPackOutcome> {
  const workDirectory = await mkdtemp(join(tmpdir(), 'pack-upload-'));
  try {
    const limits = { maxArchiveBytes: services.config.maxArchiveBytes };
    const read = await readPackArchive(createReadStream(archive), limits, workDirectory);
    if (read.kind === 'invalid') return { kind: 'validation_failed', fields: read.fields };
    if (read.kind === 'too_large') {
      const message = `is larger than ${read.limit} bytes`;
      return { kind: 'validation_failed', fields: [{ path: 'archive', message }] };
    }
    const image = await buildPackImage(read.pack, workDirectory);
    return await publish(services, caller, read.pack.metadata, visibility, image);
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

async function publish(
  services: Services,
  caller: Caller,
  metadata: PackMetadata,
  visibility: PackVisibility,
  image: PackImage,
): Promise<UploadPackOutcome> {
  const { registry, config, database } = services;
  const location = imageLocation(registry, config.registry.namespace, caller.orgSlug, metadata);
  const reserved = await reserveName(services, caller, metadata.name, location.repository);
  if (reserved.kind !== 'reserved') return reserved;
  const pushed = await push(services, location, image, reserved.lease);
  if (pushed.kind === 'failed') {
    await releaseLease(database.forOrg(caller.orgId), reserved.lease);
    return { kind: 'registry_unavailable', failure: pushed };
  }
  const added = await addPack(
    services,
    caller,
    {
      metadata,
      visibility,
      image: {
        origin: 'UPLOAD',
        repository: location.repository,
        ref: location.imageRef,
        digest: image.descriptor.digest,
        sizeBytes: image.sizeBytes,
      },
    },
    reserved.lease,
    'PACK_UPLOADED',
  );
  return added.kind === 'added' ? { kind: 'uploaded', pack: added.pack } : added;
}

async function push(
  { database, registry }: Services,
  { repository, tag }: ImageLocation,
  image: PackImage,
  lease: Lease,
) {
  using kept = keepLease(database, lease);
  // Awaited: the lease is kept until this is over, and not only until it has begun.
  return await registry.push(repository, tag, image, {
    signal: kept.signal,
    mayWrite: kept.isHeld,
  });
}
