/** What holds for each command that npm runs, whatever it is for. */
import { chmodSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
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
