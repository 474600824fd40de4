/** From the samples of the scale runs to one table. */
import { aligned } from './report.ts';
import type { ScaleCase } from './scale-cases.ts';
import { median } from './summary.ts';

export interface ScaleSample {
  readonly name: string;
  readonly packs: number;
  /** Median latency, milliseconds. */
  readonly p50: number;
  /** CPU time of the server and of PostgreSQL's processes for it, microseconds a request. */
  readonly serverMicros: number;
  readonly databaseMicros: number;
}

export interface ScaleLine {
  readonly name: string;
  /** In the order of the sizes; medians over the rounds. */
  readonly sizes: readonly Omit<ScaleSample, 'name'>[];
  /** What it is compared with: itself on the smallest data, or another case on the largest. */
  readonly against: string;
  /** On the largest data: latency, and CPU time of server and PostgreSQL together, relative to that. */
  readonly latencyRatio: number;
  readonly cpuRatio: number;
  /** null: no goal. */
  readonly goal: number | null;
}

const GOAL = 1.2;

export function summariseScale(
  cases: readonly ScaleCase[],
  sizes: readonly number[],
  samples: readonly ScaleSample[],
): ScaleLine[] {
  const at = (name: string, packs: number) => {
    const own = samples.filter((sample) => sample.name === name && sample.packs === packs);
    const of = (value: (sample: ScaleSample) => number) => median(own.map(value)) ?? Number.NaN;
    return {
      packs,
      p50: of(({ p50 }) => p50),
      serverMicros: of(({ serverMicros }) => serverMicros),
      databaseMicros: of(({ databaseMicros }) => databaseMicros),
    };
  };
  const smallest = Math.min(...sizes);
  const largest = Math.max(...sizes);
  return cases.map(({ name, against }) => {
    const last = at(name, largest);
    const than = typeof against === 'string' ? at(name, smallest) : at(against.name, largest);
    return {
      name,
      sizes: sizes.map((packs) => at(name, packs)),
      against:
        typeof against === 'string' ? `${smallest.toLocaleString('en')} packs` : against.name,
      latencyRatio: last.p50 / than.p50,
      cpuRatio:
        (last.serverMicros + last.databaseMicros) / (than.serverMicros + than.databaseMicros),
      goal: against === 'counts' ? null : GOAL,
    };
  });
}

export function scaleTable(
  machine: Readonly<Record<string, string | number>>,
  lines: readonly ScaleLine[],
  sizes: readonly number[],
): string {
  const head = [
    '',
    ...sizes.map((packs) => `${packs.toLocaleString('en')} packs`),
    'compared with',
    'latency',
    'CPU',
    'goal',
  ];
  const rows = lines.map(({ name, sizes, against, latencyRatio, cpuRatio, goal }) => [
    name,
    ...sizes.map(
      ({ p50, serverMicros, databaseMicros }) =>
        `${p50.toFixed(2)} ms, ${serverMicros.toFixed(0)} + ${databaseMicros.toFixed(0)} µs`,
    ),
    against,
    latencyRatio.toFixed(2),
    cpuRatio.toFixed(2),
    goal === null ? '-' : cpuRatio <= goal ? `≤ ${goal}` : `**≤ ${goal} missed**`,
  ]);
  return [
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · '),
    '',
    'Median latency of one request at a time, CPU time of the server + of PostgreSQL per request; ratios on the largest data.',
    '',
    ...aligned([head, ...rows]),
    '',
  ].join('\n');
}
