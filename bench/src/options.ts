import { parseArgs } from 'node:util';
import { type ServerName, serverNames } from './servers.ts';
import { type Workload, workloads } from './workloads.ts';

export interface Options {
  readonly orgs: number;
  readonly packs: number;
  readonly roles: number;
  readonly rounds: number;
  /** Timed seconds of one server under one workload in one round. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly servers: readonly ServerName[];
  readonly workloads: readonly Workload[];
  /** Managed deletions timed (W5); 0 leaves W5 out. */
  readonly managed: number;
  /** Where our server leaves a CPU profile, if it is to make one. */
  readonly profile: string | null;
  readonly check: boolean;
}

const LARGE = { orgs: 200, packs: 200_000, roles: 100_000 };
const SMALL = { orgs: 20, packs: 20_000, roles: 10_000 };

/**
 * @param argv what follows `npm run bench --`
 * @throws TypeError for an option that does not exist, Error for a value that cannot be used
 */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      small: { type: 'boolean', default: false },
      packs: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string', default: '1' },
      connections: { type: 'string', default: '16' },
      servers: { type: 'string', default: serverNames.join(',') },
      workloads: { type: 'string', default: workloads.join(',') },
      managed: { type: 'string' },
      profile: { type: 'string' },
      check: { type: 'boolean', default: false },
    },
  });
  const size = values.small ? SMALL : LARGE;
  const packs = values.packs === undefined ? size.packs : number('packs', values.packs);
  return {
    ...size,
    packs,
    roles: Math.ceil(packs / 2),
    rounds: number('rounds', values.rounds ?? (values.small ? '1' : '5')),
    seconds: number('seconds', values.seconds ?? '3'),
    warmUpSeconds: number('warm-up', values['warm-up']),
    connections: number('connections', values.connections),
    servers: choice('servers', values.servers, serverNames),
    workloads: choice('workloads', values.workloads, workloads),
    managed: number('managed', values.managed ?? (values.small ? '10' : '40')),
    profile: values.profile ?? null,
    check: values.check,
  };
}

function number(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new Error(`--${name} must be a number, for example --${name} 3`);
}

function choice<Name extends string>(
  option: string,
  text: string,
  known: readonly Name[],
): readonly Name[] {
  const asked = text.split(',');
  const unknown = asked.find((name) => !known.some((candidate) => candidate === name));
  if (unknown !== undefined) throw new Error(`--${option}: ${unknown} is none of ${known}`);
  return known.filter((name) => asked.includes(name));
}
