import { Agent, Dispatcher, ProxyAgent } from 'undici';
import { readExceptions } from './exceptions.ts';

/** What `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say. */
export interface ProxyConfig {
  readonly http: string | null;
  readonly https: string | null;
  /** What is reached directly, as `readExceptions` reads it. */
  readonly except: string;
}

export interface ProxiedOptions extends Agent.Options {
  /** PEM texts that requests through the proxy trust instead of Node's own. */
  readonly ca?: readonly string[];
}

/**
 * Sends requests as the proxy's variables say: `http:` in absolute form, `https:` through a tunnel, and directly where
 * there is no proxy for the scheme. undici's own EnvHttpProxyAgent knows no ranges of addresses, no IPv6 address and no
 * account without a password, and takes the proxy for `http:` for `https:` as well.
 */
export function proxied(
  { http, https, except }: ProxyConfig,
  options: ProxiedOptions = {},
): Dispatcher {
  const direct = new Agent(options);
  const proxies = {
    'http:': http === null ? direct : proxyAt(http, options),
    'https:': https === null ? direct : proxyAt(https, options),
  };
  const isExcepted = readExceptions(except) ?? (() => false);
  return new Chosen([direct, proxies['http:'], proxies['https:']], (url) =>
    isExcepted(url) ? direct : url.protocol === 'https:' ? proxies['https:'] : proxies['http:'],
  );
}

function proxyAt(address: string, { ca, ...options }: ProxiedOptions): ProxyAgent {
  const { username, password } = new URL(address);
  const account = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return new ProxyAgent({
    ...options,
    uri: address,
    proxyTunnel: false,
    ...(account === ':' ? {} : { token: `Basic ${Buffer.from(account).toString('base64')}` }),
    ...(ca === undefined ? {} : { requestTls: { ca: [...ca] } }),
  });
}

class Chosen extends Dispatcher {
  readonly #all: ReadonlySet<Dispatcher>;
  readonly #choose: (url: URL) => Dispatcher;

  constructor(all: readonly Dispatcher[], choose: (url: URL) => Dispatcher) {
    super();
    this.#all = new Set(all);
    this.#choose = choose;
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    return this.#choose(new URL(String(options.origin))).dispatch(options, handler);
  }

  override close(): Promise<void>;
  override close(callback: () => void): void;
  override close(callback?: () => void): Promise<void> | undefined {
    return settled(
      [...this.#all].map((one) => one.close()),
      callback,
    );
  }

  override destroy(): Promise<void>;
  override destroy(error: Error | null): Promise<void>;
  override destroy(callback: () => void): void;
  override destroy(error: Error | null, callback: () => void): void;
  override destroy(
    error?: Error | null | (() => void),
    callback?: () => void,
  ): Promise<void> | undefined {
    const reason = typeof error === 'function' ? null : (error ?? null);
    return settled(
      [...this.#all].map((one) => one.destroy(reason)),
      typeof error === 'function' ? error : callback,
    );
  }
}

function settled(
  all: readonly Promise<void>[],
  callback: (() => void) | undefined,
): Promise<void> | undefined {
  const done = Promise.all(all).then(() => undefined);
  if (callback === undefined) return done;
  done.then(callback, callback);
  return undefined;
}
