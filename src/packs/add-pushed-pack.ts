import type { KeptLease, Lease } from '../database/repository-lease.ts';
import type { Caller } from '../identity/caller.ts';
import type { AuditEventType } from '../model/audit-event.entity.ts';
import type { World } from '../world.ts';
import { addPack, type NewPack } from './add-pack.ts';
import { withdraw, withdrawUndone } from './purge-unheld.ts';

/** `addPack` for an image that was pushed under the lease just now: where no pack comes of it, it is taken back. */
export async function addPushedPack(
  world: World,
  caller: Caller,
  pack: NewPack,
  event: AuditEventType,
  lease: Lease,
  kept: KeptLease,
): ReturnType<typeof addPack> {
  const { repository, digest } = pack.image;
  const added = await addPack(world, caller, pack, lease, event).catch(async (error: unknown) => {
    await withdrawUndone(world, repository, digest, lease, kept);
    throw error;
  });
  if (added.kind === 'added') return added;
  // Without the lease the image is not ours any more.
  if (added.kind === 'registry_unavailable') return { ...added, aftermath: 'image_stored' };
  await withdraw(world, repository, digest, lease, kept);
  return added;
}
