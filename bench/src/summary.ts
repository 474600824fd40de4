/** From the samples of all rounds to one line for each server and workload. */
import type { Sample } from './measure.ts';
import type { ServerName } from './servers.ts';
import type { Workload } from './workloads.ts';

export interface Round {
  readonly round: number;
  readonly server: ServerName;
  readonly workload: Workload;
  readonly sample: Sample;
}

/** Medians over the rounds; the ratios are medians of what each round gave. */
export interface Line extends Sample {
  readonly server: ServerName;
  readonly workload: Workload;
  /** Requests per second, and CPU per request, relative to the limit's in the same round. */
  readonly ratio: number | null;
  readonly cpuRatio: number | null;
}

/** One connection, one request at a time: how long it takes, next to the limit. */
export interface Alone {
  readonly server: ServerName;
  readonly workload: Workload;
  /** Milliseconds. */
  readonly p50: number;
  /** Relative to the limit's in the same round. */
  readonly ratio: number | null;
}

export function summariseAlone(rounds: readonly Round[]): Alone[] {
  const lines = Map.groupBy(rounds, ({ server, workload }) => `${workload} ${server}`);
  return [...lines.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const ratios = group.map(({ round, workload, sample }) =>
      quotient(sample.p50, limitOf(rounds, round, workload), ({ p50 }) => p50),
    );
    const { server, workload } = first;
    return {
      server,
      workload,
      p50: median(group.map(({ sample }) => sample.p50)) ?? 0,
      ratio: median(ratios),
    };
  });
}

export function summarise(rounds: readonly Round[]): Line[] {
  const lines = Map.groupBy(rounds, ({ server, workload }) => `${workload} ${server}`);
  return [...lines.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const samples = group.map(({ sample }) => sample);
    const limits = group.map(({ round, workload }) => limitOf(rounds, round, workload));
    const over = (value: (sample: Sample) => number | null) =>
      median(samples.map((sample, index) => quotient(value(sample), limits[index], value)));
    return {
      server: first.server,
      workload: first.workload,
      requestsPerSecond: median(samples.map((s) => s.requestsPerSecond)) ?? 0,
      p50: median(samples.map((s) => s.p50)) ?? 0,
      p99: median(samples.map((s) => s.p99)) ?? 0,
      cpuMicros: median(samples.map((s) => s.cpuMicros)),
      statements: median(samples.map((s) => s.statements)) ?? 0,
      rss: median(samples.map((s) => s.rss)),
      ratio: over((s) => s.requestsPerSecond),
      cpuRatio: over((s) => s.cpuMicros),
    };
  });
}

const limitOf = (rounds: readonly Round[], round: number, workload: Workload) =>
  rounds.find((r) => r.server === 'limit' && r.round === round && r.workload === workload)?.sample;

function quotient(
  own: number | null,
  limit: Sample | undefined,
  value: (sample: Sample) => number | null,
): number | null {
  const divisor = limit === undefined ? null : value(limit);
  return own === null || divisor === null ? null : own / divisor;
}

/** The middle value; null where there is none. */
export function median(values: readonly (number | null)[]): number | null {
  const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  return upper === undefined || lower === undefined ? null : (upper + lower) / 2;
}
