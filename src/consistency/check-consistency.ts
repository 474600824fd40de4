import type { DeletionWorld } from '../packs/delete-pack.ts';
import type { RegistryFailure } from '../registry/registry.ts';
import { checkImages } from './check-images.ts';
import { checkRows } from './check-rows.ts';
import { repair } from './repair.ts';
import type { Checked } from './report.ts';

/**
 * Checks every invariant between database and registry, in all orgs, and mends what can be mended where asked.
 * Safe beside running replicas. A registry failure means that the check could not be made.
 */
export async function checkConsistency(
  world: DeletionWorld,
  options: { readonly repair: boolean },
): Promise<{ readonly kind: 'checked'; readonly checked: readonly Checked[] } | RegistryFailure> {
  const rows = await checkRows(world.database);
  const images = await checkImages(world, world.config.registry.namespace);
  if ('kind' in images) return images;
  const checked: Checked[] = [];
  for (const finding of [...rows, ...images]) {
    checked.push(options.repair ? { finding, repair: await repair(world, finding) } : { finding });
  }
  return { kind: 'checked', checked };
}
