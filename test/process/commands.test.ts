/** What holds for each command that npm runs, whatever it is for. */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { joined } from '../support/joined.ts';
import { nodeEnvironment } from '../support/node-environment.ts';
import { run, temporaryDirectory } from './run.ts';

/** With what each must be given. */
const commands: readonly (readonly [string, readonly string[]])[] = [
  ['src/migrate.ts', []],
  ['src/commands/check-consistency.ts', []],
  ['src/commands/platform-pack.ts', ['no-such-archive']],
  ['src/commands/prune-audit.ts', []],
  ['src/commands/restore-drill.ts', []],
  ['src/commands/rotate-owner-key.ts', ['--org', 'nobody']],
];

test.each(commands)(
  '%s keeps the data directory private, and tells what is odd about its database',
  async (program, args) => {
    const { environment } = await startGateway({ database: 'postgres' });
    const dataDirectory = temporaryDirectory();
    chmodSync(dataDirectory, 0o755);
    const more = { DATA_DIR: dataDirectory, AUDIT_RETENTION_DAYS: '30', PGSERVICE: 'packs' };
    const ended = await run(program, { ...environment, ...more }, [], args);
    expect(ended.stderr).toMatch(/PGSERVICE/);
    expect(statSync(dataDirectory).mode & 0o077).toBe(0);
  },
);

describe('an argument that is not read is refused, and nothing is done', () => {
  test.each([...commands, ['src/main.ts', []] as const])('by %s', async (program, args) => {
    const DATA_DIR = join(temporaryDirectory(), 'data');
    const environment = { PORT: '0', DATA_DIR, AUDIT_RETENTION_DAYS: '30' };
    const ended = await run(program, environment, [], [...args, '--dry-run']);
    expect(ended.code).toBeGreaterThan(0);
    expect(ended).toMatchObject({ stdout: '', stderr: expect.stringMatching(/^.*--dry-run.*\n$/) });
    expect(existsSync(DATA_DIR)).toBe(false);
  });

  test.each([
    ['rotate-owner-key', '--org', '--org=acme'],
    ['prune-audit', '--dry-run', '--dry-run'],
  ])('of npm run %s, where npm has kept %s to itself', async (script, name, argument) => {
    const DATA_DIR = join(temporaryDirectory(), 'data');
    const env = { ...nodeEnvironment(), DATA_DIR, AUDIT_RETENTION_DAYS: '30' };
    const running = promisify(execFile)('npm', ['run', '--silent', script, argument], { env });
    await expect(running).rejects.toMatchObject({
      stderr: expect.stringContaining(`write npm run ${script} -- ${name}\n`),
    });
    expect(existsSync(DATA_DIR)).toBe(false);
  });
});

describe('a command whose output cannot be written', () => {
  /** Where nobody reads: it waits until its reader is gone. */
  const UNREAD = `{ trap '' PIPE; while echo; do :; done 2>/dev/null; "$0" "$1"; } | true; exit $PIPESTATUS`;

  async function inShell(script: string, program: string, environment: Environment) {
    const args = ['--norc', '-c', script, process.execPath, await joined(program)];
    const env = { ...nodeEnvironment(), ...environment };
    const child = spawn('bash', args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    const stderr = text(child.stderr);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, stderr: await stderr };
  }

  test.each([
    ['"$0" "$1" > /dev/full', /^stdout cannot be written \(ENOSPC.+\)\n$/],
    [UNREAD, /^stdout cannot be written \(EPIPE.+\)\n$/],
    ['"$0" "$1" > /dev/full 2>&1', /^$/],
  ])('says that it was not run to its end: %s', async (script, stderr) => {
    const { environment } = await startGateway({ database: 'postgres' });
    for (const program of ['src/commands/check-consistency.ts', 'src/commands/restore-drill.ts']) {
      const ended = await inShell(script, program, environment);
      expect(ended).toMatchObject({ code: 2, stderr: expect.stringMatching(stderr) });
    }
  });

  test('rotates no owner key that nobody would see', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const rotate = 'src/commands/rotate-owner-key.ts';
    const ended = await inShell('"$0" "$1" > /dev/full', rotate, gateway.environment);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOSPC') });
    const { data } = await gateway.graphql('{ viewer { org { slug } } }');
    expect(data.viewer.org.slug).toBe('default');
  });
});

type Environment = Readonly<Record<string, string>>;
