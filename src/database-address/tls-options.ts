/** The TLS parameters of an address, with libpq's meaning (its manual, 32.19), as options of Node's TLS. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { type ConnectionOptions, createSecureContext, type SecureVersion } from 'node:tls';

/** libpq's, and node-postgres' own `no-verify`. */
export const sslModes = [
  'disable',
  'allow',
  'prefer',
  'require',
  'no-verify',
  'verify-ca',
  'verify-full',
] as const;

export interface TlsParameters {
  readonly mode: (typeof sslModes)[number];
  /** Whether somebody chose the mode. */
  readonly isSaid: boolean;
  /** Paths of PEM files; `system` for the authorities that Node knows. */
  readonly rootCertificate: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly revoked: string | undefined;
  readonly passphrase: string | undefined;
  /** `tlsv1.2` and the like. */
  readonly lowest: string | undefined;
  readonly highest: string | undefined;
  readonly problem: (text: string) => Error;
}

/** Whether any certificate is believed. A root certificate makes `require` as good as `verify-ca`. */
export const isWeak = ({ mode, rootCertificate }: TlsParameters): boolean =>
  mode === 'no-verify' ||
  (['allow', 'prefer', 'require'].includes(mode) && rootCertificate === undefined);

/** @param host the name, or the address, that the certificate must hold for `verify-full` */
export function tlsOptions(tls: TlsParameters, host: string): ConnectionOptions {
  const { mode, rootCertificate, certificate, key, passphrase, problem } = tls;
  if (rootCertificate === 'system' && mode !== 'verify-full' && mode !== 'disable') {
    throw problem('has sslrootcert=system, which needs sslmode=verify-full');
  }
  if (mode === 'verify-ca' && rootCertificate === undefined) {
    throw problem('has sslmode=verify-ca, which needs sslrootcert=<file of the CA>');
  }
  if ((certificate === undefined) !== (key === undefined)) {
    throw problem('must have sslcert and sslkey together');
  }
  const file = (name: string, path: string | undefined) =>
    path === undefined ? undefined : read(tls, name, path);
  const options: ConnectionOptions = {
    rejectUnauthorized: !isWeak(tls),
    // Without it Node compares the certificate of an address with "localhost".
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ca: rootCertificate === 'system' ? undefined : file('sslrootcert', rootCertificate),
    cert: file('sslcert', certificate),
    key: file('sslkey', key),
    passphrase,
    crl: file('sslcrl', tls.revoked),
    minVersion: version(tls.lowest),
    maxVersion: version(tls.highest),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
  const given = withoutGaps(options);
  requireUsable(tls, given);
  return given;
}

/** Said now and by name: when a connection fails for this reason, pg says only what OpenSSL says, or nothing. */
function requireUsable(tls: TlsParameters, options: ConnectionOptions): void {
  const { problem, rootCertificate } = tls;
  if (typeof options.ca === 'string' && !holdsCertificates(options.ca)) {
    throw problem(
      `has sslrootcert=${rootCertificate}, a file that holds no PEM certificate, or a broken one`,
    );
  }
  const { cert, key, crl, passphrase, minVersion, maxVersion } = options;
  try {
    createSecureContext(withoutGaps({ cert, key, crl, passphrase, minVersion, maxVersion }));
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw problem(
      `has sslcert, sslkey, sslpassword, sslcrl or ssl_…_protocol_version that cannot be used (${words})`,
    );
  }
}

/** Whether a PEM file holds a certificate, and none that cannot be read: TLS would do without that one. */
export function holdsCertificates(pem: string): boolean {
  const [, ...blocks] = pem.split(/-----BEGIN (?=(?:TRUSTED |X509 )?CERTIFICATE-----)/);
  try {
    for (const block of blocks) new X509Certificate(`-----BEGIN ${block}`);
    return blocks.length > 0;
  } catch {
    return false;
  }
}

/** Node takes an `undefined` for a value of some of these. */
const withoutGaps = (options: ConnectionOptions): ConnectionOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

function read({ problem }: TlsParameters, name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw problem(`has ${name}=${path}, a file that cannot be read`);
  }
}

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  tlsv1: 'TLSv1',
  'tlsv1.1': 'TLSv1.1',
  'tlsv1.2': 'TLSv1.2',
  'tlsv1.3': 'TLSv1.3',
};

const version = (text: string | undefined): SecureVersion | undefined =>
  text === undefined ? undefined : VERSIONS[text];
