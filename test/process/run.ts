/** Processes that are expected to end by themselves. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createApp } from '../../src/app.ts';
import { type Config, ConfigError, readConfig } from '../../src/config.ts';
import { keepPrivate } from '../../src/data-directory/keep-private.ts';
import { openMigratedDatabase } from '../../src/database/open-migrated.ts';
import { StartError } from '../../src/start-error.ts';
import { isSweep } from '../support/extent.ts';
import { joined } from '../support/joined.ts';
import { nodeEnvironment } from '../support/node-environment.ts';

export interface Ended {
  /** Null after a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script of this repository to its end, with nothing in its environment but what is given. */
export async function run(
  script: string,
  environment: Readonly<Record<string, string>> = {},
  nodeArguments: readonly string[] = [],
  args: readonly string[] = [],
): Promise<Ended> {
  const isProgram = script.startsWith('src/') && nodeArguments.length === 0;
  const path = isProgram ? await joined(script) : script;
  const child = spawn(process.execPath, [...nodeArguments, path, ...args], {
    env: { ...nodeEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 110_000,
    killSignal: 'SIGKILL',
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

/** How a start ends that must not succeed: tried as the calls that `src/main.ts` makes, and swept as the process. */
export const refusedStart = (environment: Readonly<Record<string, string>>): Promise<Ended> =>
  isSweep ? run('src/main.ts', environment) : refused(environment, createApp);

/** Likewise of `src/migrate.ts`. */
export const refusedMigration = (environment: Readonly<Record<string, string>>): Promise<Ended> =>
  isSweep ? run('src/migrate.ts', environment) : refused(environment, openMigratedDatabase);

/** What a process prints of it, and nothing else. */
async function refused(
  environment: Readonly<Record<string, string>>,
  begin: (config: Config) => Promise<unknown>,
): Promise<Ended> {
  // What a process keeps from others for as long as it lives, this one must not keep from the servers of other tests.
  const umask = process.umask();
  try {
    const config = readConfig(environment);
    await keepPrivate(config, () => undefined);
    await begin(config);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StartError)) throw error;
    return { code: 1, stdout: '', stderr: `${error.message}\n` };
  } finally {
    process.umask(umask);
  }
  throw new Error('nothing was refused');
}

/** A directory of the test's own, removed with all that the test puts there. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'process-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
