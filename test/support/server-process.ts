/** The real server as a process of its own, to be killed, drained and hung up on. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { samplePack } from './archives.ts';
import type { Json } from './gateway.ts';
import { joined } from './joined.ts';
import { nodeEnvironment } from './node-environment.ts';
import { OWNER_KEY } from './owner-key.ts';

export interface ServerProcess {
  readonly url: string;
  readonly pid: number | undefined;
  /** Every JSON line of its log so far. */
  readonly logs: Record<string, Json>[];
  graphql(query: string, variables?: object, signal?: AbortSignal): Promise<Json>;
  /** Uploads a sample pack. */
  upload(name: string): Promise<Json>;
  /** SIGKILL, and waits until it is dead. */
  kill(): Promise<void>;
  /** SIGTERM: it goes on for a moment, until balancers know. */
  terminate(): void;
  /** SIGINT: it stops as soon as what is in flight has ended. */
  interrupt(): void;
  /** The exit code; null after a signal. */
  readonly exited: Promise<number | null>;
}

/**
 * Starts the service on a free port; it does not outlive the test.
 * @param form whether its sources run as they are, for what is promised of a start itself
 * @param nodeArguments what comes before the script
 */
export async function startServer(
  environment: Readonly<Record<string, string>>,
  form: 'joined' | 'sources' = 'joined',
  nodeArguments: readonly string[] = [],
): Promise<ServerProcess> {
  const main = form === 'joined' ? await joined('src/main.ts') : 'src/main.ts';
  const child = spawn(process.execPath, [...nodeArguments, main], {
    env: { ...nodeEnvironment(), BOOTSTRAP_API_KEY: OWNER_KEY, ...environment, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const logs: Record<string, Json>[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', () => reject(new Error(`the server did not start: ${errors}`)));
    createInterface(child.stdout).on('line', (text) => {
      const line = JSON.parse(text);
      logs.push(line);
      if (line.msg === 'listening') resolve(line.port);
    });
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    pid: child.pid,
    logs,
    async graphql(query, variables = {}, signal) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${OWNER_KEY}` },
        body: JSON.stringify({ query, variables }),
        ...(signal && { signal }),
      });
      return response.json();
    },
    async upload(name) {
      const body = new FormData();
      const query = 'mutation ($file: File!) { uploadPack(archive: $file) { __typename } }';
      body.set('operations', JSON.stringify({ query, variables: { file: null } }));
      body.set('map', JSON.stringify({ file: ['variables.file'] }));
      body.set('file', new File([new Uint8Array(samplePack({ name }))], 'pack.tar.gz'));
      const headers = { authorization: `Bearer ${OWNER_KEY}` };
      return (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).json();
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    terminate: () => void child.kill('SIGTERM'),
    interrupt: () => void child.kill('SIGINT'),
    exited,
  };
}
