/** Which hosts an address names, by `host`, `hostaddr` and `port` or before its path. */
import { AddressRefused } from './address-refused.ts';
import type { Environment, Parameters } from './parameters.ts';

export interface Host {
  /** As the certificate names it. */
  readonly name: string | undefined;
  /** Where to connect, when `hostaddr` says so. */
  readonly address: string | undefined;
  readonly port: number | undefined;
}

/** In the order in which they are tried. */
export function hostsOf(
  list: string,
  parameters: Parameters,
  { PGHOST = '', PGPORT = '' }: Environment,
): Host[] {
  const listed = list.split(',').map((entry) => {
    const [matched, name = '', port = ''] =
      /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(entry.trim()) ?? [];
    if (matched === undefined) throw new AddressRefused(`has a host "${entry}" that is not valid`);
    return { name: decoded(name.replace(/^\[|\]$/g, '')), port };
  });
  const addresses = parameters.get('hostaddr')?.split(',');
  // The driver reads both variables too, but knows neither lists nor what name a certificate must be for.
  const orElse = (said: string[], variable: string) =>
    said.some((one) => one !== '') ? said : variable.split(',');
  const names =
    parameters.get('host')?.split(',') ??
    orElse(
      listed.map(({ name }) => name),
      PGHOST,
    );
  const ports =
    parameters.get('port')?.split(',') ??
    orElse(
      listed.map(({ port }) => port),
      PGPORT,
    );
  const count = Math.max(names.length, addresses?.length ?? 0);
  const each = (values: readonly string[], index: number, what: string) => {
    if (values.length !== 1 && values.length !== count) {
      throw new AddressRefused(`has ${values.length} ${what} for ${count} hosts`);
    }
    return values[values.length === 1 ? 0 : index]?.trim() || undefined;
  };
  const hosts = Array.from({ length: count }, (_, index): Host => {
    const port = each(ports, index, 'ports');
    if (port !== undefined && !(/^\d+$/.test(port) && Number(port) > 0 && Number(port) < 65_536)) {
      throw new AddressRefused(`has a port "${port}" that is not valid`);
    }
    return {
      name: each(names, index, 'host names'),
      address: addresses && each(addresses, index, 'hostaddr'),
      port: port === undefined ? undefined : Number(port),
    };
  });
  return parameters.get('load_balance_hosts') === 'random' ? shuffled(hosts) : hosts;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AddressRefused(`has a host "${text}" that is not percent-encoded`);
  }
}

const shuffled = (hosts: readonly Host[]): Host[] =>
  hosts
    .map((host) => ({ host, place: Math.random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ host }) => host);
