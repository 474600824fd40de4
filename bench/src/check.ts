/** The regression guard: CPU per request next to the limit's in the same run, which no machine's mood changes much. */
import type { Line } from './summary.ts';
import type { Workload } from './workloads.ts';

/** Most CPU time per request that our server may take, as a multiple of the limit's (README.md says where from). */
const most: Record<Workload, number> = { W1: 2, W2: 2.1, W3: 1.9, W4: 2.3 };

/** One sentence for each threshold that is exceeded or could not be looked at. */
export function regressions(lines: readonly Line[], workloads: readonly Workload[]): string[] {
  return workloads.flatMap((workload) => {
    const line = lines.find((l) => l.workload === workload && l.server === 'pack-gateway');
    if (line === undefined || line.cpuRatio === null) {
      return [`${workload}: CPU time is not known; --check needs /proc, pack-gateway and limit`];
    }
    if (line.cpuRatio <= most[workload]) return [];
    const found = line.cpuRatio.toFixed(2);
    return [`${workload}: ${found} x the limit's CPU per request; at most ${most[workload]} x`];
  });
}
