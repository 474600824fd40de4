/** The load generator: takes jobs from its parent, keeps every connection busy, answers with what it measured. */
import { Pool } from 'undici';
import type { LoadJob, LoadRequest, LoadResult } from './load-job.ts';
import { cpuMicrosOf, rssOf } from './process-usage.ts';

process.on('message', (job: LoadJob) => {
  run(job).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));

async function run(job: LoadJob): Promise<LoadResult> {
  const pool = new Pool(job.origin, { connections: job.connections, pipelining: 1 });
  const startedAt = performance.now();
  const timedFrom = startedAt + job.warmUpMs;
  const until = timedFrom + job.timedMs;
  const latencies: number[] = [];
  let next = 0;
  let total = 0;
  let errors = 0;
  let firstError: string | null = null;
  let cpuAtStart: number | null = null;
  let windowStart = 0;

  async function worker(): Promise<void> {
    for (;;) {
      const sentAt = performance.now();
      if (sentAt >= until) return;
      if (job.once && next >= job.requests.length) return;
      const request = job.requests[next++ % job.requests.length];
      if (request === undefined) return;
      // A fast server may not use up in the warm-up what there is to delete only once.
      const warm = sentAt >= timedFrom || (job.once && next > job.requests.length / 4);
      if (windowStart === 0 && warm) {
        windowStart = sentAt;
        cpuAtStart = cpuMicrosOf(job.pid);
      }
      const answer = await send(pool, request);
      const now = performance.now();
      total += 1;
      if (!answer.includes(request.mark)) {
        errors += 1;
        firstError ??= answer.slice(0, 500);
      }
      if (windowStart > 0 && sentAt >= windowStart) latencies.push(now - sentAt);
    }
  }

  await Promise.all(Array.from({ length: job.connections }, worker));
  const endedAt = performance.now();
  const cpuAtEnd = cpuMicrosOf(job.pid);
  const rss = rssOf(job.pid);
  await pool.close();
  latencies.sort((a, b) => a - b);
  return {
    requests: latencies.length,
    total,
    errors,
    firstError,
    timedMs: endedAt - windowStart,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpuMicros: cpuAtStart === null || cpuAtEnd === null ? null : cpuAtEnd - cpuAtStart,
    rss,
  };
}

async function send(pool: Pool, { method, path, headers, body }: LoadRequest): Promise<string> {
  const answer = await pool.request({ method, path, headers, body });
  return answer.body.text();
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
