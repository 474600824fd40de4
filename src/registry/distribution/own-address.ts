/**
 * Where an upload goes on by its `Location`, resolved against the address that was asked (RFC 3986, section 5.2).
 *
 * Behind a proxy a registry may believe that it is at `http:`, at another port (the proxy passes its host on without
 * one) or at another name: a path of its API is asked for where everything else is. So neither credentials nor bytes
 * leave for anywhere else. Null for what leads elsewhere, or nowhere.
 */
export function ownAddress(location: string | undefined, from: URL): URL | null {
  if (!location || !URL.canParse(location, from.href)) return null;
  const said = new URL(location, from);
  const isOwn =
    said.origin === from.origin ||
    (/^https?:$/.test(said.protocol) && said.pathname.startsWith('/v2/')) ||
    (isWithoutTls(said, from) && said.hostname === from.hostname);
  return isOwn ? atOrigin(said, from) : null;
}

/** The path and query of an address, asked for where `from` is. */
export function atOrigin({ pathname, search }: URL, from: URL): URL {
  const own = new URL(from.origin);
  // Set, not parsed: a path that begins with two slashes would name a host.
  own.pathname = pathname;
  own.search = search;
  return own;
}

/** Whether what was asked with TLS names an address without. */
export const isWithoutTls = (said: URL, from: URL): boolean =>
  from.protocol === 'https:' && said.protocol === 'http:';
