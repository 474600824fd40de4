/** DATABASE_URL as libpq reads it (its manual, 32.1): a parameter is honoured or refused by its name, never dropped. */
import type pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { isWeak, sslModes, type TlsParameters, tlsOptions } from './tls-options.ts';

/** One way to connect: a host, with or without TLS. */
export interface Candidate {
  /** For messages; never holds a password. */
  readonly name: string;
  readonly client: pg.ClientConfig;
}

/**
 * What stands between us and PostgreSQL. `unknown` is found out by each session; `session` is as good as nothing;
 * `transaction` gives each transaction another connection; `prepared` too, but keeps prepared statements
 * (PgBouncer from 1.21 on, with `max_prepared_statements`).
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
  /** What is honoured and yet not what somebody may have meant. */
  readonly warnings: readonly string[];
}

/** The address cannot be used; the message says why, and holds no password. */
export class AddressRefused extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

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
  const hosts = hostsOf(authority.slice(at + 1), parameters);
  const tls = tlsParameters(parameters, environment);
  const client = { ...credentials, ...plainParameters(parameters) };
  const [first, ...others] = shuffled(parameters, hosts).flatMap((host) =>
    candidatesFor(host, tls, client),
  );
  if (first === undefined) throw new AddressRefused('must name a host');
  return {
    candidates: [first, ...others],
    mustWrite: mustWrite(parameters, hosts.length),
    pooler: poolerOf(parameters),
    connectTimeoutMs: connectTimeout(parameters, hosts.length),
    requiresChannelBinding: parameters.get('channel_binding') === 'require',
    warnings: [...warningsOf(tls), ...notRead(environment)],
  };
}

/** What each parameter may be; null: any text. */
const KNOWN: Readonly<Record<string, readonly string[] | null>> = {
  host: null,
  hostaddr: null,
  port: null,
  dbname: null,
  user: null,
  password: null,
  connect_timeout: null,
  options: null,
  application_name: null,
  fallback_application_name: null,
  client_encoding: ['auto', 'utf8', 'utf-8', 'unicode'],
  keepalives: ['0', '1'],
  keepalives_idle: null,
  sslmode: sslModes,
  ssl: ['true', '1', 'false', '0', 'no-verify'],
  sslrootcert: null,
  sslcert: null,
  sslkey: null,
  sslpassword: null,
  sslcrl: null,
  sslsni: ['1'],
  sslcompression: ['0'],
  sslcertmode: ['allow'],
  sslnegotiation: ['postgres', 'direct'],
  ssl_min_protocol_version: ['tlsv1', 'tlsv1.1', 'tlsv1.2', 'tlsv1.3'],
  ssl_max_protocol_version: ['tlsv1', 'tlsv1.1', 'tlsv1.2', 'tlsv1.3'],
  gssencmode: ['disable', 'prefer'],
  channel_binding: ['disable', 'prefer', 'require'],
  target_session_attrs: ['any', 'read-write', 'primary'],
  load_balance_hosts: ['disable', 'random'],
  uselibpqcompat: ['true'],
  pgbouncer: [
    'transaction',
    'true',
    '1',
    'on',
    'yes',
    'false',
    '0',
    'off',
    'no',
    'session',
    'prepared',
  ],
};

/** Other tools' words for what PostgreSQL calls `search_path`. */
const SCHEMA_WORDS = ['schema', 'search_path', 'currentschema', 'searchpath'];

type Parameters = ReadonlyMap<string, string>;

function readParameters(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  // Here a plus sign is one, as for libpq.
  for (const [name, value] of new URLSearchParams(query.replaceAll('+', '%2B'))) {
    const allowed = KNOWN[name];
    if (allowed === undefined || !Object.hasOwn(KNOWN, name)) {
      const isSchema = SCHEMA_WORDS.includes(name.toLowerCase());
      const hint = isSchema ? `; write options=-csearch_path%3D${encodeURIComponent(value)}` : '';
      throw new AddressRefused(`has a parameter "${name}" that is not supported${hint}`);
    }
    if (parameters.has(name)) throw new AddressRefused(`has the parameter "${name}" twice`);
    parameters.set(name, allowedValue('has', name, value, allowed));
  }
  return parameters;
}

function allowedValue(
  verb: string,
  name: string,
  value: string,
  allowed: readonly string[] | null | undefined,
): string {
  if (allowed === null || allowed === undefined) return value;
  const known = allowed.find((one) => one === value.toLowerCase());
  if (known !== undefined) return known;
  throw new AddressRefused(`${verb} ${name}=${value}, which must be one of ${allowed.join(', ')}`);
}

/** libpq's variables that the driver does not read by itself, and the parameter that each stands for. */
const VARIABLES: Readonly<Record<string, string>> = {
  PGAPPNAME: 'application_name',
  PGCONNECT_TIMEOUT: 'connect_timeout',
  PGCHANNELBINDING: 'channel_binding',
  PGTARGETSESSIONATTRS: 'target_session_attrs',
  PGLOADBALANCEHOSTS: 'load_balance_hosts',
  PGGSSENCMODE: 'gssencmode',
  PGCLIENTENCODING: 'client_encoding',
  PGSSLNEGOTIATION: 'sslnegotiation',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
  PGSSLCRL: 'sslcrl',
  PGSSLMINPROTOCOLVERSION: 'ssl_min_protocol_version',
  PGSSLMAXPROTOCOLVERSION: 'ssl_max_protocol_version',
};

function addVariables(parameters: Map<string, string>, environment: Environment): void {
  for (const [variable, name] of Object.entries(VARIABLES)) {
    const value = environment[variable];
    if (value === undefined || value === '' || parameters.has(name)) continue;
    parameters.set(name, allowedValue('cannot be used with', variable, value, KNOWN[name]));
  }
}

/** What libpq does by these is not done. PGDATESTYLE, PGTZ and the like are of no effect, for the service sets what it needs. */
const NOT_READ =
  /^PG(?:SERVICE|SERVICEFILE|HOSTADDR|REQUIREAUTH|REQUIREPEER|REQUIRESSL|KRBSRVNAME|GSSLIB|GSSDELEGATION|SSLCERTMODE|SSLSNI|SSLCOMPRESSION|MINPROTOCOLVERSION|MAXPROTOCOLVERSION)$/;

const notRead = (environment: Environment): string[] =>
  Object.keys(environment)
    .filter((variable) => NOT_READ.test(variable) && environment[variable] !== '')
    .map((variable) => `${variable} is set, and not read here: say it in the address`);

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

interface Host {
  /** As the certificate names it. */
  readonly name: string | undefined;
  /** Where to connect, when `hostaddr` says so. */
  readonly address: string | undefined;
  readonly port: number | undefined;
}

function hostsOf(list: string, parameters: Parameters): Host[] {
  const listed = list.split(',').map((entry) => {
    const [matched, name = '', port = ''] =
      /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(entry.trim()) ?? [];
    if (matched === undefined) throw new AddressRefused(`has a host "${entry}" that is none`);
    return { name: decoded(name.replace(/^\[|\]$/g, '')), port };
  });
  const addresses = parameters.get('hostaddr')?.split(',');
  const names = parameters.get('host')?.split(',') ?? listed.map(({ name }) => name);
  const ports = parameters.get('port')?.split(',') ?? listed.map(({ port }) => port);
  const count = Math.max(names.length, addresses?.length ?? 0);
  const each = (values: readonly string[], index: number, what: string) => {
    if (values.length !== 1 && values.length !== count) {
      throw new AddressRefused(`has ${values.length} ${what} for ${count} hosts`);
    }
    return values[values.length === 1 ? 0 : index]?.trim() || undefined;
  };
  return Array.from({ length: count }, (_, index) => {
    const port = each(ports, index, 'ports');
    if (port !== undefined && !(/^\d+$/.test(port) && Number(port) > 0 && Number(port) < 65_536)) {
      throw new AddressRefused(`has a port "${port}" that is none`);
    }
    return {
      name: each(names, index, 'host names'),
      address: addresses && each(addresses, index, 'hostaddr'),
      port: port === undefined ? undefined : Number(port),
    };
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AddressRefused(`has a host "${text}" that is not percent-encoded`);
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

function tlsParameters(parameters: Parameters, environment: Environment): TlsParameters {
  const ssl = parameters.get('ssl');
  if (ssl !== undefined && parameters.has('sslmode')) {
    throw new AddressRefused('has ssl and sslmode; say sslmode alone');
  }
  const named =
    parameters.get('sslmode') ?? (ssl === undefined ? environment.PGSSLMODE : undefined);
  const ofSsl = { true: 'verify-full', 1: 'verify-full', 'no-verify': 'no-verify' } as const;
  const mode = sslModes.find((one) => one === named) ?? ofSsl[ssl as keyof typeof ofSsl];
  if (mode === undefined && named !== undefined && named !== '') {
    throw new AddressRefused(`cannot be used with PGSSLMODE=${named}, which is no sslmode`);
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
    keepAliveInitialDelayMillis: seconds('keepalives_idle', idle ?? '10') * 1000,
    ...(parameters.get('sslnegotiation') === 'direct' ? { sslnegotiation: 'direct' } : {}),
    enableChannelBinding: binding !== 'disable',
  };
}

function seconds(name: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new AddressRefused(`has ${name}=${text}, which must be a number of seconds`);
}

/** Short where there is somebody else to ask. */
function connectTimeout(parameters: Parameters, hosts: number): number {
  const said = parameters.get('connect_timeout');
  if (said === undefined) return hosts > 1 ? 2_000 : 5_000;
  const given = seconds('connect_timeout', said);
  if (given === 0)
    throw new AddressRefused('has connect_timeout=0, by which callers would wait without end');
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

function shuffled<T>(parameters: Parameters, hosts: readonly T[]): T[] {
  if (parameters.get('load_balance_hosts') !== 'random') return [...hosts];
  return hosts
    .map((host) => ({ host, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ host }) => host);
}

const warningsOf = (tls: TlsParameters): string[] =>
  tls.isSaid && isWeak(tls)
    ? [
        `sslmode=${tls.mode} believes whatever answers in the name of the database; ` +
          'sslmode=verify-full with sslrootcert=<file of the CA> asks for its certificate',
      ]
    : [];
