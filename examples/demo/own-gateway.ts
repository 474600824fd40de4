/** A gateway process of the demo's own, on an embedded database and registry. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connect, type Gateway } from './gateway.ts';

export interface OwnGateway extends AsyncDisposable {
  readonly gateway: Gateway;
}

/** @param directory its DATA_DIR */
export async function startGateway(directory: string): Promise<OwnGateway> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../../src/main.ts', import.meta.url))],
    {
      env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: directory },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exited = once(child, 'exit');
  const dispose = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  const ready = new Promise<Gateway>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the demo’s own gateway did not start')));
    let port = 0;
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text);
      if (line.msg === 'listening') port = line.port;
      // The second line of a first start.
      if (typeof line.key === 'string') resolve(connect(`http://127.0.0.1:${port}`, line.key));
    });
  });
  return { gateway: await ready, [Symbol.asyncDispose]: dispose };
}
