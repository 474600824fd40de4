import { onTestFinished } from 'vitest';
import { startDockerRegistry } from './docker-registry.ts';
import { databaseKinds } from './gateway.ts';
import { installed } from './installed.ts';

export type RegistryKind = 'embedded layout' | 'docker-registry';
export const registryKinds: readonly RegistryKind[] = installed('docker-registry')
  ? ['embedded layout', 'docker-registry']
  : ['embedded layout'];

/** Every database with every registry, for `describe.each`. */
export const deployments = databaseKinds.flatMap((database) =>
  registryKinds.map((registry) => ({ database, registry })),
);

/** What a gateway's environment must hold to use a new registry of this kind, which ends with the test. */
export async function registryEnvironment(kind: RegistryKind): Promise<Record<string, string>> {
  if (kind === 'embedded layout') return {};
  const docker = await startDockerRegistry();
  onTestFinished(() => docker.stop());
  return { REGISTRY_URL: docker.url.href };
}
