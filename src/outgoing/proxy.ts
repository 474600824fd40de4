import { type Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';

/** What `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say. */
export interface ProxyConfig {
  readonly http: string | null;
  readonly https: string | null;
  /** Hosts that are reached directly: names with their subdomains, perhaps with a port; `*` is every host. */
  readonly except: string;
}

export interface ProxiedOptions extends Agent.Options {
  /** PEM texts that requests through the proxy trust instead of Node's own. */
  readonly ca?: readonly string[];
}

/** Sends requests as the proxy's variables say; `http:` in absolute form, `https:` through a tunnel. */
export function proxied(
  { http, https, except }: ProxyConfig,
  { ca, ...options }: ProxiedOptions = {},
): Dispatcher {
  return new EnvHttpProxyAgent({
    ...options,
    // Left undefined they would be looked for in the environment once more, in another order.
    httpProxy: http ?? '',
    httpsProxy: https ?? '',
    noProxy: except,
    proxyTunnel: false,
    ...(ca === undefined ? {} : { requestTls: { ca: [...ca] } }),
  });
}
