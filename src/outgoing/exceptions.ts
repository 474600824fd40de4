/** Reads `NO_PROXY`; apart from what sends requests, for a start that only reads its settings. */
import { BlockList, isIP } from 'node:net';

/** Whether a URL is reached directly. */
export type IsExcepted = (url: URL) => boolean;

const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

/**
 * Reads `NO_PROXY` as curl and Go do: names with their subdomains (`registry.internal`, `.internal`, `*.internal`),
 * addresses and ranges of them (`10.0.0.0/8`, `fd00::/8`), each name or address perhaps with a port, and `*` for every
 * host; between commas or blanks. Null where an entry is none of these.
 */
export function readExceptions(text: string): IsExcepted | null {
  const ranges = new BlockList();
  const tests: IsExcepted[] = [];
  for (const entry of text.split(/[,\s]+/).filter((part) => part !== '')) {
    if (entry === '*') {
      tests.push(() => true);
      continue;
    }
    const [, range = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
    const family = isIP(range);
    if (family !== 0 && Number(bits) <= (family === 4 ? 32 : 128)) {
      ranges.addSubnet(range, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
      continue;
    }
    const one = readOne(entry);
    if (one === null) return null;
    tests.push(one);
  }
  tests.push((url) => {
    const address = hostOf(url);
    const family = isIP(address);
    return family !== 0 && ranges.check(address, family === 4 ? 'ipv4' : 'ipv6');
  });
  return (url) => tests.some((test) => test(url));
}

/** One host, perhaps with a port. */
function readOne(entry: string): IsExcepted | null {
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(entry) ??
    (isIP(entry) === 6 ? ['', entry] : []);
  const host = (bracketed ?? plain ?? '').replace(/^\*?\.|\.$/g, '').toLowerCase();
  const isAddress = isIP(host) !== 0;
  if (host === '' || (bracketed !== undefined && !isAddress)) return null;
  if (!isAddress && !/^[\p{L}\p{N}._-]+$/u.test(host)) return null;
  const canonical = isIP(host) === 6 ? hostOf(new URL(`http://[${host}]`)) : host;
  return (url) => {
    if (port !== undefined && port !== (url.port || DEFAULT_PORTS[url.protocol])) return false;
    const asked = hostOf(url);
    return asked === canonical || (isIP(asked) === 0 && asked.endsWith(`.${canonical}`));
  };
}

/** Without the brackets of an IPv6 address, and the dot that a name may end in. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
