/** DATABASE_URL as libpq reads it (its manual, 32.1): a parameter is honoured or refused by its name, never dropped. */
import type pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { AddressRefused } from './address-refused.ts';
import { type Host, hostsOf } from './hosts.ts';
import {
  addVariables,
  type Environment,
  notRead,
  type Parameters,
  readParameters,
  seconds,
} from './parameters.ts';
import { type TlsParameters, tlsOptions } from './tls-options.ts';
import { tlsParameters, tlsWarnings } from './tls-parameters.ts';

/** One way to connect: a host, with or without TLS. */
export interface Candidate {
  /** For messages; never holds a password. */
  readonly name: string;
  readonly client: pg.ClientConfig;
}

/**
 * What stands between us and PostgreSQL. `unknown`: each session finds out; `session` behaves like a direct connection;
 * `transaction` gives each transaction another connection; `prepared` too, but keeps prepared statements (PgBouncer
 * from 1.21 on, with `max_prepared_statements`).
 */
export type Pooler = 'unknown' | 'session' | 'transaction' | 'prepared';

export interface DatabaseAddress {
  /** In the order in which they are tried. */
  readonly candidates: readonly [Candidate, ...Candidate[]];
  /** A server that takes no writes is passed over, as a host that does not answer. */
  readonly mustWrite: boolean;
  readonly pooler: Pooler;
  /** Milliseconds for one candidate. */
  readonly connectTimeoutMs: number;
  readonly requiresChannelBinding: boolean;
  /** What is honoured, though perhaps not as it was meant. */
  readonly warnings: readonly string[];
}

const ADDRESS = /^postgres(?:ql)?:\/\/([^/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i;

/**
 * @param environment libpq's own variables (its manual, 32.15), for what the address does not say
 * @throws AddressRefused
 */
export function parseAddress(
  written: string,
  environment: Environment = process.env,
): DatabaseAddress {
  // A file that is read whole ends in a line break.
  const text = written.trim();
  if (/\p{Cc}|%00/u.test(text)) {
    throw new AddressRefused('has a line break, a NUL (%00) or another control character in it');
  }
  const [matched, authority = '', path = '', query = ''] = ADDRESS.exec(text) ?? [];
  if (matched === undefined && !/^postgres(?:ql)?:\/\//i.test(text)) {
    throw new AddressRefused('must be a postgres:// or postgresql:// address');
  }
  const at = authority.lastIndexOf('@');
  const hidesAnAt = path.includes('@') || (at < 0 && authority !== '' && query.includes('@'));
  if (matched === undefined || authority.indexOf('@') !== at || hidesAnAt) {
    throw new AddressRefused(
      'must have the characters @ : / ? # % of user and password percent-encoded: %40 %3A %2F %3F %23 %25',
    );
  }
  const parameters = readParameters(query);
  addVariables(parameters, environment);
  const credentials = credentialsOf(authority.slice(0, at + 1), path, parameters);
  const hosts = hostsOf(authority.slice(at + 1), parameters, environment);
  const tls = tlsParameters(parameters, environment);
  const client = { ...credentials, ...plainParameters(parameters) };
  const [first, ...others] = hosts.flatMap((host) => candidatesFor(host, tls, client));
  if (first === undefined) throw new AddressRefused('must name a host');
  return {
    candidates: [first, ...others],
    mustWrite: mustWrite(parameters, hosts.length),
    pooler: poolerOf(parameters),
    connectTimeoutMs: connectTimeout(parameters, hosts.length),
    requiresChannelBinding: parameters.get('channel_binding') === 'require',
    warnings: [...tlsWarnings(tls), ...notRead(environment)],
  };
}

function credentialsOf(userinfo: string, path: string, parameters: Parameters): pg.ClientConfig {
  try {
    const parsed = parseIntoClientConfig(`postgres://${userinfo}host${path}`);
    return {
      user: parameters.get('user') ?? parsed.user,
      password: parameters.get('password') ?? parsed.password,
      database: parameters.get('dbname') ?? parsed.database,
    };
  } catch {
    // The parser's own message may hold the password.
    throw new AddressRefused('has a user, password or database that is not percent-encoded');
  }
}

function candidatesFor(host: Host, tls: TlsParameters, client: pg.ClientConfig): Candidate[] {
  const { name, address, port } = host;
  const isSocket = name?.startsWith('/') === true && address === undefined;
  const plain = { ...client, host: address ?? name, port, ssl: false };
  const encrypted = () => ({ ...plain, ssl: tlsOptions(tls, name ?? address ?? 'localhost') });
  const label = `${name ?? address ?? 'the default host'}${port === undefined ? '' : `:${port}`}`;
  const as = (config: pg.ClientConfig): Candidate => ({ name: label, client: config });
  // libpq speaks no TLS over a Unix socket, whatever sslmode says.
  if (tls.mode === 'disable' || isSocket) return [as(plain)];
  if (tls.mode === 'prefer') return [as(encrypted()), as(plain)];
  return tls.mode === 'allow' ? [as(plain), as(encrypted())] : [as(encrypted())];
}

function plainParameters(parameters: Parameters): pg.ClientConfig {
  const idle = parameters.get('keepalives_idle');
  const binding = parameters.get('channel_binding') ?? 'disable';
  return {
    options: parameters.get('options'),
    application_name:
      parameters.get('application_name') ??
      parameters.get('fallback_application_name') ??
      'pack-gateway',
    keepAlive: parameters.get('keepalives') !== '0',
    keepAliveInitialDelayMillis: seconds('keepalives_idle', idle ?? USUAL_IDLE_S) * 1000,
    ...(parameters.get('sslnegotiation') === 'direct' ? { sslnegotiation: 'direct' } : {}),
    enableChannelBinding: binding !== 'disable',
  };
}

/** Milliseconds: several round trips and a slow start of the server; shorter where there is another host to try. */
const CONNECT_TIMEOUT = { onlyHost: 5_000, oneOfSeveral: 2_000 };
/** Seconds of silence before TCP looks whether the other end is there: as long as a silent connection is kept anyway. */
const USUAL_IDLE_S = '10';

function connectTimeout(parameters: Parameters, hosts: number): number {
  const said = parameters.get('connect_timeout');
  if (said === undefined) {
    return hosts > 1 ? CONNECT_TIMEOUT.oneOfSeveral : CONNECT_TIMEOUT.onlyHost;
  }
  const given = seconds('connect_timeout', said);
  if (given === 0)
    throw new AddressRefused('has connect_timeout=0, which would make callers wait for ever');
  return given * 1000;
}

/** Of several hosts the one that can be written to is meant, if nothing else is said: this service writes. */
const mustWrite = (parameters: Parameters, hosts: number): boolean =>
  (parameters.get('target_session_attrs') ?? (hosts > 1 ? 'read-write' : 'any')) !== 'any';

function poolerOf(parameters: Parameters): Pooler {
  const said = parameters.get('pgbouncer');
  if (said === undefined) return 'unknown';
  if (said === 'session' || said === 'prepared') return said;
  return ['transaction', 'true', '1', 'on', 'yes'].includes(said) ? 'transaction' : 'session';
}
