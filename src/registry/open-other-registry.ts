import type { RegistryConfig } from '../config.ts';
import { createDistributionRegistry } from './distribution/distribution-registry.ts';
import type { Registry } from './registry.ts';

/**
 * A registry other than the configured one, to be read without credentials.
 *
 * No request leaves for a host that `REGISTRY_ALLOWED_HOSTS` does not name: neither by redirect nor to a token
 * service. TLS always, but on this machine (`localhost`, `127.…`), as container tools have it.
 * @param host `host[:port]`, one of `config.allowedHosts`
 */
export function openOtherRegistry(
  { deadlineMs, ca, allowedHosts }: RegistryConfig,
  host: string,
): Registry {
  const isLocal = /^(?:localhost|127(?:\.\d+){3})(?::\d+)?$/.test(host);
  return createDistributionRegistry({
    url: new URL(`${isLocal ? 'http' : 'https'}://${host}`),
    deadlineMs,
    tokenHosts: allowedHosts,
    blobHosts: allowedHosts,
    ...(ca === null ? {} : { ca }),
  });
}
