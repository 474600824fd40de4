import type { DeletionWorld } from '../packs/delete-pack.ts';
import type { RegistryFailure } from '../registry/registry.ts';
import { CheckEnded } from './check-ended.ts';
import { checkRows } from './check-rows.ts';
import { type ImagesProgress, type ImagesWalk, walkConsistency } from './walk-consistency.ts';

export type CheckOutcome = { readonly progress: ImagesProgress } & (
  | { readonly kind: 'checked' }
  /** By the signal. */
  | { readonly kind: 'interrupted' }
  | RegistryFailure
);

/**
 * Checks every invariant between database and registry, in all orgs, and tells of each breach. Changes nothing; safe
 * beside running replicas. A registry failure means that the check could not be made to its end.
 */
export async function checkConsistency(
  { database, registry, config }: DeletionWorld,
  walk: ImagesWalk,
): Promise<CheckOutcome> {
  let progress: ImagesProgress = { images: 0, packs: 0, reached: walk.after ?? null };
  try {
    // What the rows say of each other belongs to a check from its beginning.
    if (walk.after === undefined) await checkRows(database, walk.onFinding);
    await walkConsistency({ database, registry }, config.registry.namespace, {
      ...walk,
      onProgress: (now) => {
        progress = now;
        walk.onProgress?.(now);
      },
    });
    return { kind: 'checked', progress };
  } catch (error) {
    if (!(error instanceof CheckEnded)) throw error;
    if (walk.signal?.aborted) return { kind: 'interrupted', progress };
    return { ...error.outcome, progress };
  }
}
