/** Every variable that the service reads: what a value must be, and an example of a good one. */
import { z } from 'zod';
import {
  certificateFile,
  credential,
  databaseAddress,
  documentsFile,
  exceptions,
  filled,
  hosts,
  namespace,
  onOff,
  origins,
  proxy,
  url,
  whole,
} from './setting-forms.ts';
import { SLUG } from './slug.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Setting<T> {
  readonly schema: z.ZodType<T, string>;
  readonly example: string;
}

/** By the variable's name. */
export const settings = {
  KEEP_ALIVE_MS: { schema: whole(1_000, 7_200_000), example: '75000' },
  PORT: { schema: whole(0, 65_535), example: '4000' },
  HOST: {
    schema: filled.refine(
      (host) => !/^\[.*\]$/.test(host),
      'must be an address without brackets, ::1 and not [::1]',
    ),
    example: '127.0.0.1',
  },
  DATA_DIR: { schema: filled, example: './data' },
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
    schema: namespace,
    example: 'packs',
  },
  REGISTRY_ALLOWED_HOSTS: { schema: hosts, example: 'ghcr.io,registry.internal:5000' },
  REGISTRY_TOKEN_HOSTS: { schema: hosts, example: 'auth.docker.io,gitlab.internal' },
  HTTP_PROXY: { schema: proxy, example: 'http://proxy.internal:3128' },
  HTTPS_PROXY: { schema: proxy, example: 'http://proxy.internal:3128' },
  NO_PROXY: {
    schema: exceptions,
    example: 'localhost,registry.internal,10.0.0.0/8',
  },
  REGISTRY_DEADLINE_MS: { schema: whole(100, 600_000), example: '10000' },
  REGISTRY_CA_FILE: {
    schema: certificateFile,
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
  JWT_ISSUER: { schema: filled, example: 'https://login.example' },
  JWT_AUDIENCE: { schema: filled, example: 'pack-gateway' },
  JWKS_URL: {
    schema: url('http:', 'https:').refine(
      ({ username, password }) => username === '' && password === '',
      'must not contain credentials: public keys are read without any',
    ),
    example: 'https://login.example/.well-known/jwks.json',
  },
  CORS_ORIGINS: {
    schema: origins,
    example: 'https://studio.apollographql.com',
  },
  INTROSPECTION: { schema: onOff, example: 'on' },
  GRAPHIQL: { schema: onOff, example: 'on' },
  TRUSTED_DOCUMENTS: {
    schema: documentsFile,
    example: './persisted-documents.json',
  },
  MAX_ARCHIVE_BYTES: { schema: whole(1024, 4 * 1024 ** 3), example: '67108864' },
  LOG_LEVEL: {
    schema: z.enum(logLevels, { error: `must be one of ${logLevels.join(', ')}` }),
    example: 'info',
  },
} satisfies Record<string, Setting<unknown>>;
