import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { refusedStart, run, temporaryDirectory } from './run.ts';

interface Case {
  readonly variable: string;
  readonly value: string;
  /** What else is set. */
  readonly also?: Record<string, string>;
  /** What the line says besides. */
  readonly says?: string;
}

const FILE = '<file>';
const BROKEN_CERTIFICATE = '<broken certificate>';
const HALF = '-----BEGIN CERTIFICATE-----\nMIIB\n';
const bad: readonly Case[] = [
  { variable: 'PORT', value: 'http' },
  { variable: 'PORT', value: '65536' },
  { variable: 'HOST', value: '203.0.113.1' },
  { variable: 'HOST', value: '[::1]', says: 'without brackets' },
  { variable: 'DATABASE_URL', value: 'mysql://root:sekret@localhost/packs' },
  { variable: 'DATABASE_URL', value: 'postgres://root:1#sekret@localhost/packs' },
  { variable: 'REGISTRY_URL', value: 'registry.internal:5000' },
  { variable: 'REGISTRY_URL', value: 'https://robot:sekret@registry.internal' },
  { variable: 'REGISTRY_URL', value: 'https://:sekret@registry.internal' },
  { variable: 'REGISTRY_URL', value: 'https://registry.internal/?mirror=sekret' },
  { variable: 'REGISTRY_URL', value: 'https://registry.internal#sekret' },
  { variable: 'REGISTRY_USERNAME', value: '', also: { REGISTRY_PASSWORD: 'sekret' } },
  { variable: 'REGISTRY_PASSWORD', value: 'sekret\n', also: { REGISTRY_USERNAME: 'ci' } },
  { variable: 'REGISTRY_NAMESPACE', value: 'Upper/Case' },
  { variable: 'REGISTRY_NAMESPACE', value: 'my.packs/here' },
  { variable: 'REGISTRY_DEADLINE_MS', value: '0' },
  { variable: 'REGISTRY_CA_FILE', value: '/no/such/ca.pem' },
  { variable: 'REGISTRY_CA_FILE', value: FILE },
  { variable: 'REGISTRY_CA_FILE', value: BROKEN_CERTIFICATE },
  { variable: 'BOOTSTRAP_ORG', value: 'Not A Slug' },
  { variable: 'BOOTSTRAP_API_KEY', value: 'sk_sekret' },
  { variable: 'JWT_AUDIENCE', value: '', also: { JWT_ISSUER: 'https://login.example' } },
  { variable: 'JWT_ISSUER', value: 'https://login.example\r' },
  { variable: 'JWT_AUDIENCE', value: ' packs' },
  { variable: 'JWT_AUDIENCE', value: '"packs"' },
  { variable: 'DATA_DIR', value: './crlf\r' },
  { variable: 'DATA_DIR', value: ' ' },
  { variable: 'DATA_DIR', value: 'tab\tbed' },
  { variable: 'JWKS_URL', value: 'file:///etc/passwd' },
  { variable: 'JWKS_URL', value: 'https://robot:sekret@login.example/keys' },
  { variable: 'CORS_ORIGINS', value: 'https://studio.example/' },
  { variable: 'INTROSPECTION', value: 'yes' },
  { variable: 'GRAPHIQL', value: 'no' },
  { variable: 'TRUSTED_DOCUMENTS', value: FILE },
  { variable: 'MAX_ARCHIVE_BYTES', value: '64MiB' },
  { variable: 'LOG_LEVEL', value: 'loud' },
];

test.each(bad)(
  '$variable=$value ends the start with one line, and nothing is made',
  async ({ variable, value, also, says = '' }) => {
    const directory = temporaryDirectory();
    const file = join(directory, 'not-what-it-should-be');
    const isBroken = value === BROKEN_CERTIFICATE;
    writeFileSync(file, isBroken ? `${rootCertificates[0]}\n${HALF}` : 'neither PEM nor JSON');
    const dataDirectory = join(directory, 'data');
    const environment = {
      PORT: '0',
      DATA_DIR: dataDirectory,
      ...also,
      [variable]: value === FILE || isBroken ? file : value,
    };
    // Where to listen is tried by the process alone.
    const ended = await (/PORT|HOST/.test(variable)
      ? run('src/main.ts', environment)
      : refusedStart(environment));
    expect(ended.stderr).toMatch(new RegExp(`^${variable}: .+; for example ${variable}=.+\n$`));
    expect(ended.stderr).not.toContain('sekret');
    expect(ended.stderr).toContain(says);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(existsSync(dataDirectory)).toBe(false);
  },
);
