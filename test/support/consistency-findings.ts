import type { Finding } from '../../src/consistency/finding.ts';
import { walkConsistency } from '../../src/consistency/walk-consistency.ts';
import type { World } from '../../src/world.ts';

/** What the consistency check finds in a world, together. */
export async function consistencyFindings(world: World): Promise<Finding[]> {
  const findings: Finding[] = [];
  await walkConsistency(world, world.config.registry.namespace, {
    onFinding: async (finding) => void findings.push(finding),
  });
  return findings;
}
