/** The results as a table in Markdown. */
import { type LayoutCosts, layoutLine } from './layout.ts';
import type { ManagedDeletion } from './managed-deletion.ts';
import type { Alone, Line } from './summary.ts';
import { workloads, workloadTitles } from './workloads.ts';

export interface Results {
  readonly measuredAt: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly options: object;
  /** From the start of each server's process to its first answer, milliseconds. */
  readonly startMs: Readonly<Record<string, number>>;
  readonly lines: readonly Line[];
  readonly alone: readonly Alone[];
  readonly managed: ManagedDeletion | null;
  readonly layout: readonly LayoutCosts[];
  readonly rounds: readonly object[];
}

export function table({ machine, lines, alone, managed, layout }: Results): string {
  const rows = workloads.flatMap((workload) =>
    lines
      .filter((line) => line.workload === workload)
      .map((line) => [
        workload,
        line.server,
        line.requestsPerSecond.toFixed(0),
        line.p50.toFixed(1),
        line.p99.toFixed(1),
        line.cpuMicros?.toFixed(0) ?? '-',
        line.statements.toFixed(1),
        line.rss === null ? '-' : (line.rss / 1024 ** 2).toFixed(0),
        line.ratio?.toFixed(2) ?? '-',
        line.cpuRatio?.toFixed(2) ?? '-',
      ]),
  );
  const head = [
    ['', 'server', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs/request', 'SQL/request', 'RSS MB'],
    ['ratio to limit', 'CPU ratio'],
  ].flat();
  const titles = workloads.map((workload) => `- ${workload}: ${workloadTitles[workload]}`);
  return [
    Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(' · '),
    '',
    ...aligned([head, ...rows]),
    '',
    ...titles,
    '',
    'One connection, one request at a time:',
    '',
    ...aligned([
      ['', 'server', 'p50 ms', 'ratio to limit'],
      ...alone.map(({ workload, server, p50, ratio }) => [
        workload,
        server,
        p50.toFixed(2),
        ratio?.toFixed(2) ?? '-',
      ]),
    ]),
    ...(managed === null ? [] : ['', managedLine(managed)]),
    '',
    ...layout.map((costs) => `- ${layoutLine(costs)}`),
    '',
  ].join('\n');
}

const managedLine = (managed: ManagedDeletion): string =>
  `W5, deletePack of an uploaded pack: ${managed.deletePackMs.toFixed(1)} ms; two transactions ` +
  `${managed.transactionsMs.toFixed(1)} ms and one registry DELETE ${managed.registryDeleteMs.toFixed(1)} ms, ` +
  `timed alone: ratio ${managed.ratio.toFixed(2)} (medians of ${managed.count}).\n` +
  `Its steps: ${Object.entries(managed.split)
    .map(([step, ms]) => `${step} ${ms.toFixed(1)} ms`)
    .join(', ')}.`;

export function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i < 2 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return rows.flatMap((row, index) => (index === 0 ? [line(row), rule] : [line(row)]));
}
