import dns from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Where clouds hand out a machine's credentials to anything that runs on it. */
const addresses = new BlockList();
// Link-local: AWS, Azure, Google, OpenStack, DigitalOcean …
addresses.addSubnet('169.254.0.0', 16, 'ipv4');
addresses.addSubnet('fe80::', 10, 'ipv6');
// AWS over IPv6, Alibaba, Azure's other one, Oracle.
addresses.addAddress('fd00:ec2::254', 'ipv6');
addresses.addAddress('100.100.100.200', 'ipv4');
addresses.addAddress('168.63.129.16', 'ipv4');
addresses.addAddress('192.0.0.192', 'ipv4');

/** Whether a URL's `hostname` is such an address; a name is not looked up. */
export function isCloudMetadata(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  const version = isIP(address);
  return version !== 0 && addresses.check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/**
 * A `dns.lookup` that fails for a name that leads to such an address.
 *
 * @param trusted the hosts that an operator named; they may be anywhere (podman's host is link-local)
 */
export function guardedLookup(trusted: ReadonlySet<string>): LookupFunction {
  return (hostname, options, callback) => {
    dns.lookup(hostname, options, (error, found, family) => {
      const all = Array.isArray(found) ? found.map(({ address }) => address) : [found];
      if (error !== null || trusted.has(hostname) || !all.some(isCloudMetadata)) {
        return callback(error, found, family);
      }
      return callback(leadsNowhere(), []);
    });
  };
}

/**
 * Rejects for a name that leads to such an address, as far as can be seen from here: where only a proxy can look it
 * up, the proxy has to refuse it.
 */
export async function refuseCloudMetadata(hostname: string): Promise<void> {
  const found = await dns.promises
    .lookup(hostname.replace(/^\[|\]$/g, ''), { all: true })
    .catch(() => []);
  if (found.some(({ address }) => isCloudMetadata(address))) throw leadsNowhere();
}

const leadsNowhere = (): Error =>
  Object.assign(new Error('the name leads to an address that no redirect may lead to'), {
    code: 'ENOTFOUND',
  });
