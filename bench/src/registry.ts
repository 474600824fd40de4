import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';

export interface Registry {
  readonly url: string;
  stop(): void;
}

/** Debian's docker-registry on the loopback, or null where it is not installed. */
export async function startRegistry(directory: string): Promise<Registry | null> {
  if (spawnSync('docker-registry', ['--version']).error !== undefined) return null;
  const data = join(directory, 'registry');
  mkdirSync(data);
  const port = await freePort();
  const file = join(directory, 'registry.json');
  const configuration = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: data }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, secret: 'bench' },
  };
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(configuration));
  const child = spawn('docker-registry', ['serve', file], { stdio: 'ignore' });
  const killed = () => void child.kill('SIGKILL');
  process.once('exit', killed);
  const url = `http://127.0.0.1:${port}`;
  await answering(url, child);
  return { url, stop: killed };
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 500 && child.exitCode === null; attempt++) {
    const answer = await fetch(`${url}/v2/`).catch(() => null);
    await answer?.text();
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('docker-registry did not start');
}
