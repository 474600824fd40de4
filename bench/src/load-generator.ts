import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadJob, LoadResult } from './load-job.ts';

export interface LoadGenerator {
  run(job: LoadJob): Promise<LoadResult>;
  stop(): void;
}

/** Starts the process that sends the requests: it shares nothing with the bench but the machine. */
export function startLoadGenerator(): LoadGenerator {
  const child = fork(fileURLToPath(new URL('load.ts', import.meta.url)));
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        const died = () => reject(new Error('the load generator died'));
        child.once('exit', died);
        child.once('message', (result) => {
          child.off('exit', died);
          // The only message it sends.
          resolve(result as LoadResult);
        });
        child.send(job);
      }),
    stop: () => void child.disconnect(),
  };
}
