import { namesHost } from '../host.ts';
import type { Challenge } from './challenge.ts';
import { atOrigin, isWithoutTls } from './own-address.ts';

/** The token services that may be asked, besides the registry itself. */
export interface TokenServices {
  /** `host[:port]`. */
  readonly hosts: readonly string[];
  /** Whether any port of the registry's host may be one. */
  readonly otherPorts: boolean;
  /** The variable that allows more. */
  readonly variable: string;
}

const ownTokenServices: TokenServices = {
  hosts: [],
  otherPorts: true,
  variable: 'REGISTRY_TOKEN_HOSTS',
};

/** Where tokens come from. */
export interface Bearer {
  readonly kind: 'bearer';
  readonly realm: URL;
  readonly service: string | undefined;
}

/**
 * The realm comes from whatever answered the request, so it gets our password only where the configuration allows
 * it. Answers with a text that says why where it does not.
 */
export function bearerOf(
  { parameters }: Challenge,
  registry: URL,
  tokens: TokenServices = ownTokenServices,
): Bearer | string {
  const text = parameters.realm ?? '';
  const isPath = /^\/[^/\\]/.test(text);
  const said = URL.canParse(text)
    ? new URL(text)
    : isPath && URL.canParse(text, registry.href)
      ? new URL(text, registry)
      : undefined;
  // A registry that does not know of the TLS in front of it: its own realm is asked where it is asked.
  const isOwn = said?.hostname === registry.hostname && ['', registry.port].includes(said.port);
  const realm = said && isOwn && isWithoutTls(said, registry) ? atOrigin(said, registry) : said;
  const known =
    realm !== undefined &&
    (realm.host === registry.host ||
      namesHost(tokens.hosts, realm) ||
      (tokens.otherPorts && realm.hostname === registry.hostname));
  const secure =
    realm?.protocol === 'https:' || (realm?.protocol === 'http:' && registry.protocol === 'http:');
  if (!realm || !known || !secure) return refusalOf(realm, known, tokens);
  return { kind: 'bearer', realm, service: parameters.service };
}

function refusalOf(realm: URL | undefined, known: boolean, { variable }: TokenServices): string {
  // The host is the only part of the registry's answer that we repeat, because the operator has to know which one to
  // allow. A URL's host holds only letters, digits and a few signs.
  if (realm === undefined || realm.host === '' || realm.host.length > 255) {
    return 'the registry names no token service that can be asked';
  }
  return known
    ? `the registry names a token service without TLS at ${realm.host}: no credentials are sent there`
    : `the registry names a token service at ${realm.host}: no credentials are sent there unless ${variable} names that host`;
}
