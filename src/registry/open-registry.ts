import { join } from 'node:path';
import type { RegistryConfig } from '../config.ts';
import { makeDataDirectory } from '../data-directory/make-data-directory.ts';
import { byNamespace } from './by-namespace.ts';
import { defaultCircuitBreaker, withCircuitBreaker } from './circuit-breaker.ts';
import type { DistributionOptions } from './distribution/distribution-registry.ts';
import type { CircuitState, Registry, RegistryCall } from './registry.ts';

/**
 * The registry that the configuration names: OCI Distribution over HTTP, or the embedded image layout, which must
 * not be new where `imagesKnown` says that it held images before.
 * @throws StartError where it is, or cannot be written at all
 */
export async function openRegistry(
  config: RegistryConfig,
  dataDirectory: string,
  imagesKnown: () => Promise<boolean>,
  onCall: (call: RegistryCall) => void,
  onCircuit: (state: CircuitState) => void,
): Promise<Registry> {
  // Only the one that is used is loaded.
  if (config.url === null) {
    await makeDataDirectory(dataDirectory);
    const { createLayoutRegistry } = await import('./layout/layout-registry.ts');
    const directory = join(dataDirectory, 'registry');
    return createLayoutRegistry({ directory, imagesKnown, onCall });
  }
  const { createDistributionRegistry } = await import('./distribution/distribution-registry.ts');
  const options: DistributionOptions = {
    url: config.url,
    deadlineMs: config.deadlineMs,
    ...(config.username === null ? {} : { username: config.username }),
    ...(config.password === null ? {} : { password: config.password }),
    ...(config.ca === null ? {} : { ca: config.ca }),
    ...(config.proxy === null ? {} : { proxy: config.proxy }),
    tokens: { hosts: config.tokenHosts, otherPorts: true, variable: 'REGISTRY_TOKEN_HOSTS' },
    onCall,
  };
  const own = withCircuitBreaker(createDistributionRegistry(options), {
    ...defaultCircuitBreaker,
    onChange: onCircuit,
  });
  return byNamespace(own, createDistributionRegistry(options), config.namespace);
}
