/** Environment -> Config. A bad value is one clear line that names the variable, the problem and a good example. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly dataDirectory: string;
  readonly databaseUrl: string | null;
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
  /** Milliseconds. */
  readonly deadlineMs: number;
  /** PEM text. */
  readonly ca: string | null;
}

export interface JwtConfig {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: URL;
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** The environment cannot be used; its message is the one line to print. */
export class ConfigError extends Error {
  constructor(variable: string, problem: string, example: string) {
    super(`${variable}: ${problem}; for example ${variable}=${example}`);
    this.name = 'ConfigError';
  }
}

interface Setting<T> {
  readonly schema: z.ZodType<T, string>;
  readonly example: string;
}

const whole = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `must be ${minimum} to ${maximum}`);

const url = (...protocols: string[]) =>
  z.string().transform((text, context): URL => {
    const parsed = URL.parse(text);
    if (parsed !== null && protocols.includes(parsed.protocol)) return parsed;
    context.addIssue(`must be a ${protocols.join(' or ')}// address`);
    return z.NEVER;
  });

const onOff = z
  .enum(['on', 'off'], { error: 'must be on or off' })
  .transform((value) => value === 'on');

const settings = {
  PORT: { schema: whole(0, 65_535), example: '4000' },
  HOST: { schema: z.string().min(1, 'must not be empty'), example: '127.0.0.1' },
  DATA_DIR: { schema: z.string().min(1, 'must not be empty'), example: './data' },
  DATABASE_URL: {
    schema: url('postgres:', 'postgresql:').transform((parsed) => parsed.href),
    example: 'postgres://user:password@localhost:5432/packs',
  },
  REGISTRY_URL: {
    schema: url('http:', 'https:').refine(
      (parsed) => parsed.pathname === '/' && parsed.search === '' && parsed.username === '',
      'must be http(s)://host[:port] without path, query or credentials',
    ),
    example: 'https://registry.internal:5000',
  },
  REGISTRY_USERNAME: { schema: z.string(), example: 'pack-gateway' },
  REGISTRY_PASSWORD: { schema: z.string(), example: '…' },
  REGISTRY_NAMESPACE: {
    schema: z
      .string()
      .max(100, 'must have at most 100 characters')
      .regex(
        /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-][a-z0-9]+)*)*$/,
        'must be a repository path of lower-case letters, digits, ".", "_", "-" and "/"',
      ),
    example: 'packs',
  },
  REGISTRY_ALLOWED_HOSTS: {
    schema: z
      .string()
      .transform((text) => text.split(',').map((host) => host.trim().toLowerCase()))
      .transform((hosts) => hosts.filter((host) => host !== ''))
      .refine(
        (hosts) =>
          hosts.every((host) => /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/.test(host)),
        'must be a comma-separated list of host[:port], without scheme or path',
      ),
    example: 'ghcr.io,registry.internal:5000',
  },
  REGISTRY_DEADLINE_MS: { schema: whole(100, 600_000), example: '10000' },
  REGISTRY_CA_FILE: {
    schema: z
      .string()
      .transform((path, context) => readText(path, context))
      .refine((text) => text.includes('-----BEGIN CERTIFICATE-----'), 'must name a PEM file'),
    example: '/etc/ssl/registry-ca.pem',
  },
  BOOTSTRAP_ORG: {
    schema: z
      .string()
      .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'must be a slug of a-z, 0-9 and "-"'),
    example: 'default',
  },
  BOOTSTRAP_API_KEY: {
    schema: z
      .string()
      .regex(/^sk_[A-Za-z0-9_-]{32,}$/, 'must be sk_ and 32 or more URL-safe characters'),
    // Not a key: a value printed here would be one that somebody copies.
    example: 'sk_<32 or more URL-safe characters>',
  },
  JWT_ISSUER: { schema: z.string().min(1, 'must not be empty'), example: 'https://login.example' },
  JWT_AUDIENCE: { schema: z.string().min(1, 'must not be empty'), example: 'pack-gateway' },
  JWKS_URL: {
    schema: url('http:', 'https:'),
    example: 'https://login.example/.well-known/jwks.json',
  },
  CORS_ORIGINS: {
    schema: z
      .string()
      .transform((text) => text.split(',').map((origin) => origin.trim()))
      .transform((origins) => origins.filter((origin) => origin !== ''))
      .refine(
        (origins) => origins.every((origin) => URL.parse(origin)?.origin === origin),
        'must be a comma-separated list of origins, without path or trailing slash',
      ),
    example: 'https://studio.apollographql.com',
  },
  INTROSPECTION: { schema: onOff, example: 'on' },
  GRAPHIQL: { schema: onOff, example: 'on' },
  TRUSTED_DOCUMENTS: {
    schema: z.string().transform((path, context) => readDocuments(path, context)),
    example: './persisted-documents.json',
  },
  MAX_ARCHIVE_BYTES: { schema: whole(1024, 4 * 1024 ** 3), example: '67108864' },
  LOG_LEVEL: {
    schema: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }),
    example: 'info',
  },
} satisfies Record<string, Setting<unknown>>;

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
      read(name, setting, environment[name]),
    ]),
    // Each entry is parsed by the schema under its own name, which fromEntries cannot express.
  ) as Values;
  if (values.REGISTRY_PASSWORD !== undefined && values.REGISTRY_USERNAME === undefined) {
    throw new ConfigError('REGISTRY_USERNAME', 'must be set together with REGISTRY_PASSWORD', 'ci');
  }
  return {
    port: values.PORT ?? 4000,
    host: values.HOST ?? '127.0.0.1',
    dataDirectory: resolve(values.DATA_DIR ?? './data'),
    databaseUrl: values.DATABASE_URL ?? null,
    registry: {
      url: values.REGISTRY_URL ?? null,
      username: values.REGISTRY_USERNAME ?? null,
      password: values.REGISTRY_PASSWORD ?? null,
      namespace: values.REGISTRY_NAMESPACE ?? 'packs',
      allowedHosts: values.REGISTRY_ALLOWED_HOSTS ?? [],
      deadlineMs: values.REGISTRY_DEADLINE_MS ?? 10_000,
      ca: values.REGISTRY_CA_FILE ?? null,
    },
    bootstrap: {
      org: values.BOOTSTRAP_ORG ?? 'default',
      apiKey: values.BOOTSTRAP_API_KEY ?? null,
    },
    jwt: jwtConfig(values),
    corsOrigins: values.CORS_ORIGINS ?? ['https://studio.apollographql.com'],
    introspection: values.INTROSPECTION ?? true,
    graphiql: values.GRAPHIQL ?? true,
    trustedDocuments: values.TRUSTED_DOCUMENTS ?? null,
    maxArchiveBytes: values.MAX_ARCHIVE_BYTES ?? 64 * 1024 ** 2,
    logLevel: values.LOG_LEVEL ?? 'info',
  };
}

function read<T>(name: string, setting: Setting<T>, text: string | undefined): T | undefined {
  if (text === undefined || text === '') return undefined;
  const result = setting.schema.safeParse(text);
  if (result.success) return result.data;
  throw new ConfigError(name, result.error.issues[0]?.message ?? 'is not valid', setting.example);
}

function jwtConfig(values: Values): JwtConfig | null {
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience, JWKS_URL: jwksUrl } = values;
  if (issuer !== undefined && audience !== undefined && jwksUrl !== undefined) {
    return { issuer, audience, jwksUrl };
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

function readText(path: string, context: z.RefinementCtx): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    context.addIssue(`the file ${path} cannot be read`);
    return z.NEVER;
  }
}

function readDocuments(path: string, context: z.RefinementCtx): ReadonlyMap<string, string> {
  const text = readText(path, context);
  if (typeof text !== 'string') return z.NEVER;
  try {
    const documents = z.record(z.string(), z.string()).parse(JSON.parse(text));
    return new Map(Object.entries(documents));
  } catch {
    context.addIssue(`the file ${path} must hold a JSON object of hash to document`);
    return z.NEVER;
  }
}
