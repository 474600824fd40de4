import { emptyDockerRegistry } from './empty-docker-registry.ts';
import { isSweep } from './extent.ts';
import { type DatabaseKind, databaseKinds } from './gateway.ts';
import { installed } from './installed.ts';

export type RegistryKind = 'embedded layout' | 'docker-registry';
export const registryKinds: readonly RegistryKind[] = installed('docker-registry')
  ? ['embedded layout', 'docker-registry']
  : ['embedded layout'];

interface Deployment {
  readonly database: DatabaseKind;
  readonly registry: RegistryKind;
}

/** What operators run: servers, or nothing but the process itself. */
const isUsual = ({ database, registry }: Deployment): boolean =>
  (database === 'embedded') === (registry === 'embedded layout');

/** Pairs of a database and a registry, for `describe.each`: the usual ones are tried, the others swept. */
export const deployments: readonly Deployment[] = databaseKinds
  .flatMap((database) => registryKinds.map((registry) => ({ database, registry })))
  .filter((one) => isUsual(one) !== isSweep || registryKinds.length === 1);

/** What a gateway's environment must hold to use a new registry of this kind, which ends with the test. */
export async function registryEnvironment(kind: RegistryKind): Promise<Record<string, string>> {
  if (kind === 'embedded layout') return {};
  const docker = await emptyDockerRegistry();
  return { REGISTRY_URL: docker.url.href };
}
