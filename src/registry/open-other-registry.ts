import type { RegistryConfig } from '../config.ts';
import { protocolOf } from './host.ts';
import type { Registry } from './registry.ts';

/**
 * A registry other than the configured one, to be read without credentials.
 *
 * No request leaves for a host that `REGISTRY_ALLOWED_HOSTS` does not name: neither by redirect nor to a token
 * service. Always TLS, except on this machine (`localhost`, `127.…`), as container tools do it.
 * @param host `host[:port]`, one of `config.allowedHosts`
 */
export async function openOtherRegistry(
  { deadlineMs, ca, allowedHosts, proxy }: RegistryConfig,
  host: string,
): Promise<Registry> {
  // Only here: most processes need no client for other registries, and loading it takes time.
  const { createDistributionRegistry } = await import('./distribution/distribution-registry.ts');
  const allowed = { hosts: allowedHosts, variable: 'REGISTRY_ALLOWED_HOSTS' };
  return createDistributionRegistry({
    url: new URL(`${protocolOf(host)}//${host}`),
    deadlineMs,
    tokens: { ...allowed, otherPorts: false },
    elsewhere: allowed,
    ...(proxy === null ? {} : { proxy }),
    ...(ca === null ? {} : { ca }),
  });
}
