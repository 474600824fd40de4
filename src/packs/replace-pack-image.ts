/**
 * Gives a pack another image of its repository, in this order:
 *
 * 1. Read the new image, under the repository's lease.
 * 2. Point the row at it, with the event, in one transaction. From here on the old image may go.
 * 3. Purge the old image, where it was uploaded here and no other pack points at it.
 * 4. Where the purge failed and the registry shows that the old image is still there: point the row back, with an
 *    event of its own, and answer that the pack keeps its image.
 *
 * The row never points at an image that may be gone. A crash between 2 and 3, or a registry that says neither that
 * the old image is there nor that it is gone, leaves that image without a pack; the consistency check finds it.
 */
import { type Lease, releaseLease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import { type PackId, packIds } from '../model/ids.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { World } from '../world.ts';
import { awaitLease } from './await-lease.ts';
import { findDying, invalidReference, readUnderLease } from './create-pack-from-image.ts';
import type { Expectation } from './expected-state.ts';
import { findPack } from './find-pack.ts';
import { type OpenedSource, openImageSource } from './image-source.ts';
import { purgeOld, putBack, type ReplacementRefused, swap, unusable } from './replacement-steps.ts';

export interface ReplacePackImageInput {
  /** As the caller sent it; what is no pack id is not found. */
  readonly id: string;
  readonly imageRef: string;
  readonly expected?: Expectation | undefined;
}

export type ReplacePackImageOutcome =
  | { readonly kind: 'image_replaced'; readonly pack: PackRow }
  | ReplacementRefused;

/** Gives a pack of the caller's org another image; the id stays. The same image again changes nothing. */
export async function replacePackImage(
  world: World,
  caller: Caller,
  { id, imageRef, expected }: ReplacePackImageInput,
): Promise<ReplacePackImageOutcome> {
  const packId = packIds.parse(id);
  if (packId === null) return { kind: 'not_found', subject: 'pack', id };
  const pack = await findPack(world.database, caller, packId);
  const problem = unusable(caller, packId, pack);
  if (problem !== null) return problem;
  const opened = await openImageSource(world, imageRef);
  if (typeof opened === 'string') return invalidReference(opened);
  await using source = opened;
  if (source.place !== pack?.repository) {
    return invalidReference(`must be in the pack's own repository, ${pack?.repository}`);
  }
  const leased = await awaitLease(world, source.place);
  if (leased.kind !== 'leased') return leased;
  let outcome: ReplacePackImageOutcome | undefined;
  try {
    outcome = await replace(world, caller, packId, source, leased.lease, expected);
    return outcome;
  } finally {
    // The swap gives it back where it changes the row.
    if (outcome?.kind !== 'image_replaced') await releaseLease(world.database, leased.lease);
  }
}

async function replace(
  world: World,
  caller: Caller,
  packId: PackId,
  source: OpenedSource,
  lease: Lease,
  expected: Expectation | undefined,
): Promise<ReplacePackImageOutcome> {
  const image = await readUnderLease(world, caller, source, lease);
  if (image.kind === 'failed') return { kind: 'registry_unavailable', failure: image };
  if (image.kind === 'invalid') return { kind: 'validation_failed', fields: image.fields };
  const dying = await findDying(world, caller, source.place, image.digest);
  if (dying !== null) return dying;
  const swapped = await swap(
    world,
    caller,
    packId,
    { ...image, origin: 'IMAGE_REF', ref: source.imageRef, event: 'PACK_IMAGE_REPLACED', expected },
    lease,
  );
  if (swapped.kind !== 'swapped') return swapped;
  const { pack, purge } = swapped;
  if (purge !== null) {
    const failure = await purgeOld(world, pack, purge);
    if (failure !== null) return putBack(world, caller, swapped, purge.lease, failure);
    await releaseLease(world.database, purge.lease);
  }
  return { kind: 'image_replaced', pack };
}
