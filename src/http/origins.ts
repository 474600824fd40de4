/** Pages of which origins a browser may let talk to us (CORS_ORIGINS); no other is told anything. */

const WILDCARD = '://*.';

/** @param origins each exact, or `https://*.example.com` for every host under a domain */
export class AllowedOrigins {
  readonly #exact: ReadonlySet<string>;
  /** What stands before and after the labels that `*` is for. */
  readonly #under: readonly { readonly scheme: string; readonly domain: string }[];

  constructor(origins: readonly string[]) {
    this.#exact = new Set(origins.filter((origin) => !origin.includes(WILDCARD)));
    this.#under = origins
      .filter((origin) => origin.includes(WILDCARD))
      .map((origin) => {
        const [scheme = '', domain = ''] = origin.split(WILDCARD);
        return { scheme: `${scheme}://`, domain: `.${domain}` };
      });
  }

  /** @param origin as a browser's `Origin` header says it */
  allows(origin: string | null): boolean {
    if (origin === null) return false;
    if (this.#exact.has(origin)) return true;
    return this.#under.some(
      ({ scheme, domain }) =>
        origin.startsWith(scheme) &&
        origin.endsWith(domain) &&
        /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(origin.slice(scheme.length, -domain.length)),
    );
  }
}

/** Of what we answer, headers that a page may read besides those that every page may. */
export const EXPOSED_HEADERS = ['x-request-id', 'retry-after', 'etag', 'content-disposition'];
/** Seconds for which a browser need not ask again whether it may. */
export const PREFLIGHT_MAX_AGE = 86_400;
