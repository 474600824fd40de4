/** A server that dies, as by kill -9, at a change to a file of the embedded registry: at the same moment every time. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Death } from './die-at.ts';
import type { Gateway } from './gateway.ts';
import { type ServerProcess, startServer } from './server-process.ts';

export interface MortalServer extends ServerProcess {
  /** Orders its death; whoever is called next makes it happen. */
  dieAt(death: Death): void;
  /** Waits until it is dead, and takes the order back for whoever starts next on the same data. */
  died(): Promise<void>;
}

/** Starts one on the data of a gateway that has been closed. */
export async function startMortalServer({
  environment,
  dataDirectory,
}: Pick<Gateway, 'environment' | 'dataDirectory'>): Promise<MortalServer> {
  const orders = join(dataDirectory, 'die-at.json');
  const server = await startServer({
    ...environment,
    DIE_AT: orders,
    NODE_OPTIONS: `--import=${new URL('./die-at.ts', import.meta.url).href}`,
  });
  return {
    ...server,
    dieAt: (death) => writeFileSync(orders, JSON.stringify(death)),
    async died() {
      await server.exited;
      rmSync(orders);
    },
  };
}

/** Around the writing of the list of what the registry holds, the first time after the order, or a later one. */
export const indexWritten = (side: Death['side'], time: number): Death => ({
  side,
  call: 'rename',
  path: '/registry/index\\.json$',
  time,
});

/** Around the first change to stored content: a rename puts it in its place, `rm` ends it. */
export const blobChanged = (side: Death['side'], call: Death['call']): Death => ({
  side,
  call,
  path: '/registry/blobs/sha256/',
  time: 1,
});
