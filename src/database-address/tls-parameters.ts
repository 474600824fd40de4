/** What an address says about TLS. */
import { AddressRefused } from './address-refused.ts';
import type { Environment, Parameters } from './parameters.ts';
import { isWeak, sslModes, type TlsParameters } from './tls-options.ts';

export function tlsParameters(parameters: Parameters, environment: Environment): TlsParameters {
  const ssl = parameters.get('ssl');
  if (ssl !== undefined && parameters.has('sslmode')) {
    throw new AddressRefused('has ssl and sslmode; give only sslmode');
  }
  const named =
    parameters.get('sslmode') ?? (ssl === undefined ? environment.PGSSLMODE : undefined);
  const ofSsl = { true: 'verify-full', 1: 'verify-full', 'no-verify': 'no-verify' } as const;
  const mode = sslModes.find((one) => one === named) ?? ofSsl[ssl as keyof typeof ofSsl];
  if (mode === undefined && named !== undefined && named !== '') {
    throw new AddressRefused(`cannot be used with PGSSLMODE=${named}, which is not an sslmode`);
  }
  const isDirect = parameters.get('sslnegotiation') === 'direct';
  if (isDirect && (mode === undefined || isWeakerThanRequire(mode))) {
    throw new AddressRefused('has sslnegotiation=direct, which needs sslmode=require or stronger');
  }
  const problem = (text: string) => new AddressRefused(text);
  return {
    mode: mode ?? 'disable',
    isSaid: mode !== undefined,
    rootCertificate: parameters.get('sslrootcert'),
    certificate: parameters.get('sslcert'),
    key: parameters.get('sslkey'),
    passphrase: parameters.get('sslpassword'),
    revoked: parameters.get('sslcrl'),
    lowest: parameters.get('ssl_min_protocol_version'),
    highest: parameters.get('ssl_max_protocol_version'),
    problem,
  };
}

const isWeakerThanRequire = (mode: string) => ['disable', 'allow', 'prefer'].includes(mode);

/** What is honoured, though it may trust more than was meant. */
export const tlsWarnings = (tls: TlsParameters): string[] =>
  tls.isSaid && isWeak(tls)
    ? [
        `sslmode=${tls.mode} trusts any server that answers in place of the database; ` +
          'sslmode=verify-full with sslrootcert=<file of the CA> checks its certificate',
      ]
    : [];
