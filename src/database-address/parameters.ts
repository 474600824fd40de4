/** The parameters of an address, and libpq's variables that stand for them (its manual, 32.1.2 and 32.15). */
import { AddressRefused } from './address-refused.ts';
import { sslModes } from './tls-options.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

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

export type Parameters = ReadonlyMap<string, string>;

export function readParameters(query: string): Map<string, string> {
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

export function addVariables(parameters: Map<string, string>, environment: Environment): void {
  for (const [variable, name] of Object.entries(VARIABLES)) {
    const value = environment[variable];
    if (value === undefined || value === '' || parameters.has(name)) continue;
    parameters.set(name, allowedValue('cannot be used with', variable, value, KNOWN[name]));
  }
}

/**
 * What libpq does with these is not done here. PGDATESTYLE, PGTZ and the like have no effect, because the service sets
 * what it needs.
 */
const NOT_READ =
  /^PG(?:SERVICE|SERVICEFILE|HOSTADDR|REQUIREAUTH|REQUIREPEER|REQUIRESSL|KRBSRVNAME|GSSLIB|GSSDELEGATION|SSLCERTMODE|SSLCRLDIR|SSLKEYLOGFILE|SSLSNI|SSLCOMPRESSION|MINPROTOCOLVERSION|MAXPROTOCOLVERSION)$/;

export const notRead = (environment: Environment): string[] =>
  Object.keys(environment)
    .filter((variable) => NOT_READ.test(variable) && environment[variable] !== '')
    .map((variable) => `${variable} is set, but not read here: put it in the address`);

export function seconds(name: string, text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new AddressRefused(`has ${name}=${text}, which must be a number of seconds`);
}
