import { keepLease, type Lease, releaseLease } from '../database/repository-lease.ts';
import { isUniqueViolation } from '../database/sql-state.ts';
import type { PackId } from '../model/ids.ts';
import { Pack, type PackTier } from '../model/pack.entity.ts';
import type { ProblemOf } from '../outcomes.ts';
import type { World } from '../world.ts';
import { insertPack, leaseLapsed, type NewPack } from './add-pack.ts';
import type { PackImage } from './archive/build-image.ts';
import { awaitLease } from './await-lease.ts';
import { imageLocation } from './image-location.ts';
import { nameTaken } from './name-problem.ts';
import type { PackMetadata } from './pack-metadata.ts';
import { withdraw, withdrawUndone } from './purge-unheld.ts';
import { withPackImage } from './with-pack-image.ts';

/** In place of an org's slug in the image's repository; no slug has a dot. */
const PLATFORM = 'platform.packs';

export interface ImportPlatformPackInput {
  /** Path of the `.tar.gz`. */
  readonly archive: string;
  readonly tier: PackTier;
}

export type ImportPlatformPackOutcome =
  | {
      readonly kind: 'imported';
      readonly id: PackId;
      readonly name: string;
      readonly version: string;
    }
  | ProblemOf<'validation_failed' | 'name_taken' | 'registry_unavailable'>;

type Imported = Pick<World, 'config' | 'database' | 'registry' | 'log' | 'parserThread'>;

/**
 * Makes a pack of the platform: every org can read and attach it, none can change it.
 *
 * For the operator, so there is no caller; and no audit event, because each of those belongs to an org.
 */
export async function importPlatformPack(
  world: Imported,
  { archive, tier }: ImportPlatformPackInput,
): Promise<ImportPlatformPackOutcome> {
  return withPackImage(world, null, archive, (metadata, image) =>
    publish(world, tier, metadata, image),
  );
}

async function publish(
  world: Imported,
  tier: PackTier,
  metadata: PackMetadata,
  image: PackImage,
): Promise<ImportPlatformPackOutcome> {
  const { registry, config, database } = world;
  const location = imageLocation(registry, config.registry.namespace, PLATFORM, metadata);
  const { repository, tag, imageRef } = location;
  const leased = await awaitLease(world, repository);
  if (leased.kind !== 'leased') return leased;
  const { lease } = leased;
  if (await isTaken(world, metadata.name)) {
    await releaseLease(database, lease);
    return nameTaken(metadata.name);
  }
  using kept = keepLease(database, lease);
  const pushed = await registry.push(repository, tag, image, kept);
  if (pushed.kind === 'failed') {
    await releaseLease(database, lease);
    return { kind: 'registry_unavailable', failure: pushed };
  }
  const { sizeBytes } = image;
  const { digest } = image.descriptor;
  const newPack: NewPack = {
    metadata,
    visibility: 'COMMUNITY',
    image: { origin: 'UPLOAD', repository, ref: imageRef, digest, sizeBytes },
  };
  const inserted = await insert(world, tier, newPack, lease).catch(async (error: unknown) => {
    await withdrawUndone(world, repository, digest, lease, kept);
    throw error;
  });
  if (inserted.kind === 'name_taken') await withdraw(world, repository, digest, lease, kept);
  return inserted;
}

async function insert(
  world: Imported,
  tier: PackTier,
  newPack: NewPack,
  lease: Lease,
): Promise<ImportPlatformPackOutcome> {
  const { name, version } = newPack.metadata;
  try {
    return await world.database.acrossOrgs('platform pack').transactional(async (em) => {
      if (!(await releaseLease(em, lease))) return { ...leaseLapsed, aftermath: 'image_stored' };
      const { id } = insertPack(em, null, tier, newPack);
      return { kind: 'imported', id, name, version };
    });
  } catch (error) {
    if (isUniqueViolation(error)) return nameTaken(name);
    throw error;
  }
}

async function isTaken({ database }: Imported, name: string): Promise<boolean> {
  const em = database.acrossOrgs('platform pack');
  return (await em.count(Pack, { org: null, name })) > 0;
}
