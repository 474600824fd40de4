/** Every variable that the service reads: what a value must be, and an example of a good one. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseAddress } from './database-address/address.ts';
import { AddressRefused } from './database-address/address-refused.ts';
import { readExceptions } from './outgoing/exceptions.ts';
import { parseHost } from './registry/host.ts';
import { SLUG } from './slug.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Setting<T> {
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
    // Nobody means a fragment: it begins at a "#" that belongs to a password.
    if (parsed !== null && protocols.includes(parsed.protocol) && !text.includes('#')) {
      return parsed;
    }
    context.addIssue(`must be a ${protocols.join(' or ')}// address, with %23 for any "#" in it`);
    return z.NEVER;
  });

/** The address of a PostgreSQL server, as it was written: whoever connects reads it again. */
const databaseAddress = z.string().superRefine((text, context) => {
  try {
    parseAddress(text);
  } catch (error) {
    if (!(error instanceof AddressRefused)) throw error;
    context.addIssue(error.message);
  }
});

const onOff = z
  .enum(['on', 'off'], { error: 'must be on or off' })
  .transform((value) => value === 'on');

const hosts = z.string().transform((text, context): readonly string[] => {
  const parsed = text
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '')
    .map(parseHost);
  if (parsed.every((host) => host !== null)) return parsed;
  context.addIssue('must be a comma-separated list of host[:port], without scheme or path');
  return z.NEVER;
});

const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};

const proxy = z.string().transform((text, context): string => {
  // As curl has it: a bare host[:port] is an HTTP proxy.
  const parsed = URL.parse(text.includes('://') ? text : `http://${text}`);
  const isProxy = parsed !== null && ['http:', 'https:'].includes(parsed.protocol);
  // An account is written in percent-encoding, and a "%" that begins none cannot be read.
  if (isProxy && isDecodable(parsed.username) && isDecodable(parsed.password)) return parsed.href;
  context.addIssue('must be the address of an HTTP proxy, with %25 for any "%" in its account');
  return z.NEVER;
});

const credential = z
  .string()
  .refine(
    (text) => !/[\r\n]/.test(text),
    'must not contain a line break; a file written with echo ends in one: write it with printf %s',
  );

/** By the variable's name. */
export const settings = {
  KEEP_ALIVE_MS: { schema: whole(1_000, 7_200_000), example: '75000' },
  PORT: { schema: whole(0, 65_535), example: '4000' },
  HOST: { schema: z.string().min(1, 'must not be empty'), example: '127.0.0.1' },
  DATA_DIR: { schema: z.string().min(1, 'must not be empty'), example: './data' },
  DATABASE_URL: {
    schema: databaseAddress,
    example: 'postgres://user:password@localhost:5432/packs',
  },
  DATABASE_LISTEN_URL: {
    schema: databaseAddress,
    example: 'postgres://user:password@primary:5432/packs',
  },
  AUDIT_RETENTION_DAYS: { schema: whole(1, 36_500), example: '365' },
  REGISTRY_URL: {
    schema: url('http:', 'https:').refine(
      (parsed) => parsed.href === `${parsed.origin}/`,
      'must be http(s)://host[:port] without path, query or credentials',
    ),
    example: 'https://registry.internal:5000',
  },
  REGISTRY_USERNAME: {
    schema: credential.refine((name) => !name.includes(':'), 'must not contain ":"'),
    example: 'pack-gateway',
  },
  REGISTRY_PASSWORD: { schema: credential, example: '…' },
  REGISTRY_NAMESPACE: {
    schema: z
      .string()
      .max(100, 'must have at most 100 characters')
      .regex(
        /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-][a-z0-9]+)*)*$/,
        'must be a repository path of lower-case letters, digits, ".", "_", "-" and "/"',
      )
      .refine(
        (namespace) => !/^(?:[^/]*\.|localhost(?:\/|$))/.test(namespace),
        'must not begin like a host: image references would be read as those of another registry',
      ),
    example: 'packs',
  },
  REGISTRY_ALLOWED_HOSTS: { schema: hosts, example: 'ghcr.io,registry.internal:5000' },
  REGISTRY_TOKEN_HOSTS: { schema: hosts, example: 'auth.docker.io,gitlab.internal' },
  HTTP_PROXY: { schema: proxy, example: 'http://proxy.internal:3128' },
  HTTPS_PROXY: { schema: proxy, example: 'http://proxy.internal:3128' },
  NO_PROXY: {
    schema: z
      .string()
      .refine(
        (text) => readExceptions(text) !== null,
        'must be a comma-separated list of names, addresses and ranges of them, without scheme or path',
      ),
    example: 'localhost,registry.internal,10.0.0.0/8',
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
    schema: z.string().regex(SLUG, 'must be a slug of a-z, 0-9 and "-"'),
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
    schema: url('http:', 'https:').refine(
      ({ username, password }) => username === '' && password === '',
      'must not contain credentials: public keys are read without any',
    ),
    example: 'https://login.example/.well-known/jwks.json',
  },
  CORS_ORIGINS: {
    schema: z
      .string()
      .transform((text) => text.split(',').map((origin) => origin.trim()))
      .transform((origins) => origins.filter((origin) => origin !== ''))
      .refine(
        (origins) => origins.every(isOrigin),
        'must be a comma-separated list of origins, without path or trailing slash; "*." may stand for what comes before a domain, as in https://*.example.com',
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

/** As browsers write it; other schemes than http and https are those of apps and extensions, `capacitor://localhost`. */
function isOrigin(text: string): boolean {
  const plain = text.replace('://*.', '://');
  if (plain !== text && !plain.replace(/^.*:\/\//, '').includes('.')) return false;
  const isWeb = /^https?:\/\//.test(plain);
  return isWeb
    ? URL.parse(plain)?.origin === plain
    : /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?$/.test(plain);
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
