import { isIPv6 } from 'node:net';

/**
 * The network that an address stands for: itself, or for IPv6 its /64, all of which usually belongs to one host.
 *
 * @param address as a socket names it; an IPv4 address may come in its IPv6 form (`::ffff:192.0.2.1`)
 */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%');
  const mapped = /^::ffff:(\d+(?:\.\d+){3})$/i.exec(plain)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(plain)) return address;
  // URL writes an address in the one canonical form (RFC 5952): lower case, without leading zeros.
  const [front = '', back] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const head = front === '' ? [] : front.split(':');
  const tail = back ? back.split(':') : [];
  const zeros = Array<string>(8 - head.length - tail.length).fill('0');
  const groups = back === undefined ? head : [...head, ...zeros, ...tail];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
