/** Hosts of registries as people write them: `host[:port]`, an IPv6 address in brackets. */
import { isIPv6 } from 'node:net';

const NAME = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/;
const ADDRESS = /^\[([0-9a-f:.]+)\](:\d{1,5})?$/;
const DEFAULT_PORT: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/** A host in lower case, an IPv6 address in its one shortest form; null where it is none. */
export function parseHost(text: string): string | null {
  // Checked before it is lower-cased: letters outside ASCII (the Kelvin sign) would turn into ones a host may have.
  if (!/^[\x21-\x7e]+$/.test(text)) return null;
  const host = text.toLowerCase();
  if (NAME.test(host)) return host;
  const [, address = '', port = ''] = ADDRESS.exec(host) ?? [];
  return isIPv6(address) ? `${new URL(`http://[${address}]`).hostname}${port}` : null;
}

/** Without the port that the protocol means anyway. */
export function withoutDefaultPort(host: string, protocol: string): string {
  const port = `:${DEFAULT_PORT[protocol] ?? ''}`;
  return host.endsWith(port) && port !== ':' ? host.slice(0, -port.length) : host;
}

/** Whether a list of hosts names the one of a URL, with its default port or without. */
export const namesHost = (hosts: readonly string[], { host, protocol }: URL): boolean =>
  hosts.some((listed) => withoutDefaultPort(listed, protocol) === host);

/** The protocol of another registry: always TLS, except on this machine, as container tools do it. */
export const protocolOf = (host: string): 'http:' | 'https:' =>
  /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host) ? 'http:' : 'https:';
