/** Environment -> Config. A bad value is one clear line that names the variable, the problem and a good example. */
import { resolve } from 'node:path';
import type { z } from 'zod';
import type { ProxyConfig } from './outgoing/proxy.ts';
import { type LogLevel, type Setting, settings } from './settings.ts';

export interface Config {
  readonly port: number;
  readonly host: string;
  /** Milliseconds. */
  readonly keepAliveMs: number;
  readonly dataDirectory: string;
  readonly databaseUrl: string | null;
  /** Where to LISTEN; null: at `databaseUrl`. */
  readonly databaseListenUrl: string | null;
  /** Null: for ever. */
  readonly auditRetentionDays: number | null;
  readonly registry: RegistryConfig;
  readonly bootstrap: { readonly org: string; readonly apiKey: string | null };
  readonly jwt: JwtConfig | null;
  readonly corsOrigins: readonly string[];
  readonly introspection: boolean;
  readonly graphiql: boolean;
  readonly trustedDocuments: ReadonlyMap<string, string> | null;
  /** Bytes. */
  readonly maxArchiveBytes: number;
  readonly logLevel: LogLevel;
}

export interface RegistryConfig {
  /** Null: the embedded registry, an OCI image layout in the data directory. */
  readonly url: URL | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly namespace: string;
  /** Lower-case `host[:port]` of other registries that images may be read from, without credentials. */
  readonly allowedHosts: readonly string[];
  /** Lower-case `host[:port]` of services that may give out tokens for the registry, besides itself. */
  readonly tokenHosts: readonly string[];
  /** Null where none is set. */
  readonly proxy: ProxyConfig | null;
  /** Milliseconds. */
  readonly deadlineMs: number;
  /** PEM text. */
  readonly ca: string | null;
}

export interface JwtConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: URL;
  readonly proxy: ProxyConfig | null;
}

/** The first org's slug where none is set. */
export const USUAL_ORG = 'default';

/** The environment cannot be used; its message is the one line to print. */
export class ConfigError extends Error {
  constructor(variable: string, problem: string, example: string) {
    super(`${variable}: ${problem}; for example ${variable}=${example}`);
    this.name = 'ConfigError';
  }
}

type Settings = typeof settings;
type Values = { [Name in keyof Settings]: z.output<Settings[Name]['schema']> | undefined };

/**
 * Reads and checks the whole environment.
 * @throws ConfigError at the first variable that cannot be used
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const values = Object.fromEntries(
    Object.entries<Setting<unknown>>(settings).map(([name, setting]) => [
      name,
      read(name, setting, environment[name] || environment[lowerCase(name)]),
    ]),
    // Each entry is parsed by the schema under its own name, which fromEntries cannot express.
  ) as Values;
  if (values.REGISTRY_PASSWORD !== undefined && values.REGISTRY_USERNAME === undefined) {
    throw new ConfigError('REGISTRY_USERNAME', 'must be set together with REGISTRY_PASSWORD', 'ci');
  }
  if (values.DATABASE_LISTEN_URL !== undefined && values.DATABASE_URL === undefined) {
    throw new ConfigError(
      'DATABASE_URL',
      'must be set together with DATABASE_LISTEN_URL',
      settings.DATABASE_URL.example,
    );
  }
  const proxy = proxyConfig(values);
  return {
    port: values.PORT ?? 4000,
    host: values.HOST ?? '127.0.0.1',
    keepAliveMs: values.KEEP_ALIVE_MS ?? 75_000,
    dataDirectory: resolve(values.DATA_DIR ?? './data'),
    databaseUrl: values.DATABASE_URL ?? null,
    auditRetentionDays: values.AUDIT_RETENTION_DAYS ?? null,
    databaseListenUrl: values.DATABASE_LISTEN_URL ?? null,
    registry: {
      url: values.REGISTRY_URL ?? null,
      username: values.REGISTRY_USERNAME ?? null,
      password: values.REGISTRY_PASSWORD ?? null,
      namespace: values.REGISTRY_NAMESPACE ?? 'packs',
      allowedHosts: values.REGISTRY_ALLOWED_HOSTS ?? [],
      tokenHosts: values.REGISTRY_TOKEN_HOSTS ?? [],
      proxy,
      deadlineMs: values.REGISTRY_DEADLINE_MS ?? 10_000,
      ca: values.REGISTRY_CA_FILE ?? null,
    },
    bootstrap: {
      org: values.BOOTSTRAP_ORG ?? USUAL_ORG,
      apiKey: values.BOOTSTRAP_API_KEY ?? null,
    },
    jwt: jwtConfig(values, proxy),
    corsOrigins: values.CORS_ORIGINS ?? [
      'https://studio.apollographql.com',
      // The same Explorer, embedded in a page.
      'https://explorer.embed.apollographql.com',
    ],
    introspection: values.INTROSPECTION ?? true,
    graphiql: values.GRAPHIQL ?? true,
    trustedDocuments: values.TRUSTED_DOCUMENTS ?? null,
    maxArchiveBytes: values.MAX_ARCHIVE_BYTES ?? 64 * 1024 ** 2,
    logLevel: values.LOG_LEVEL ?? 'info',
  };
}

/** A warning for what is set though nothing will use it, or that perhaps was not meant so. */
export function settingsInVain({ registry }: Config): string[] {
  const { url, username, password, tokenHosts, allowedHosts, ca } = registry;
  if (url !== null) {
    return username !== null && password === null
      ? ['REGISTRY_USERNAME is sent with an empty password: REGISTRY_PASSWORD is not set']
      : [];
  }
  const unused = [
    ...(username === null ? [] : ['REGISTRY_USERNAME']),
    ...(password === null ? [] : ['REGISTRY_PASSWORD']),
    ...(tokenHosts.length === 0 ? [] : ['REGISTRY_TOKEN_HOSTS']),
    // Other registries are read by it as well.
    ...(ca === null || allowedHosts.length > 0 ? [] : ['REGISTRY_CA_FILE']),
  ];
  if (unused.length === 0) return [];
  return [
    `${unused.join(', ')}: set, but images go to the embedded registry, which uses none of them; another is named by, ` +
      `for example, REGISTRY_URL=${settings.REGISTRY_URL.example}`,
  ];
}

/** Only proxies are set in lower case as well, and more often that way. */
const lowerCase = (name: string): string => (name.endsWith('_PROXY') ? name.toLowerCase() : name);

function read<T>(name: string, setting: Setting<T>, text: string | undefined): T | undefined {
  if (text === undefined || text === '') return undefined;
  const result = setting.schema.safeParse(text);
  if (result.success) return result.data;
  throw new ConfigError(name, result.error.issues[0]?.message ?? 'is not valid', setting.example);
}

function proxyConfig({ HTTP_PROXY, HTTPS_PROXY, NO_PROXY }: Values): ProxyConfig | null {
  if (HTTP_PROXY === undefined && HTTPS_PROXY === undefined) return null;
  return { http: HTTP_PROXY ?? null, https: HTTPS_PROXY ?? null, except: NO_PROXY ?? '' };
}

function jwtConfig(values: Values, proxy: ProxyConfig | null): JwtConfig | null {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWKS_URL: jwksUrl } = values;
  if (issuer !== undefined && audience !== undefined && jwksUrl !== undefined) {
    return { issuer, audience, jwksUrl, proxy };
  }
  const names = ['JWT_ISSUER', 'JWT_AUDIENCE', 'JWKS_URL'] as const;
  const missing = names.find((name) => values[name] === undefined);
  if (missing === undefined || names.every((name) => values[name] === undefined)) return null;
  throw new ConfigError(
    missing,
    'must be set: JWT_ISSUER, JWT_AUDIENCE and JWKS_URL switch session JWTs on together',
    settings[missing].example,
  );
}
