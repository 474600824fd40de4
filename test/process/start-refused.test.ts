/** A start that cannot succeed for reasons outside the configuration. */
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { emptyPostgres } from '../support/databases.ts';
import { startServer } from '../support/server-process.ts';
import { refusedStart, run, temporaryDirectory } from './run.ts';

/** An address where nobody listens any more, or somebody who never says a word. */
async function port(state: 'closed' | 'silent'): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const close = () => new Promise((resolve) => server.close(resolve));
  if (state === 'closed') await close();
  else onTestFinished(() => void close());
  return typeof address === 'object' && address !== null ? address.port : 0;
}

test('a port that is taken is refused before anything is made', async () => {
  const taken = await port('silent');
  const dataDirectory = join(temporaryDirectory(), 'data');
  const ended = await run('src/main.ts', { PORT: String(taken), DATA_DIR: dataDirectory });
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(new RegExp(`^PORT: cannot listen on ${taken} .+PORT=4001\n$`));
  expect(existsSync(dataDirectory)).toBe(false);
});

test('a data directory that another process has is refused, to the server and to the migration', {
  timeout: 180_000,
}, async () => {
  const dataDirectory = temporaryDirectory();
  cpSync(inject('embedded'), dataDirectory, { recursive: true });
  const first = await startServer({ DATA_DIR: dataDirectory });
  for (const script of ['src/main.ts', 'src/migrate.ts']) {
    const second = await run(script, { PORT: '0', DATA_DIR: dataDirectory });
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(
      new RegExp(
        `^DATA_DIR: ${dataDirectory} is in use by another process \\(pid ${first.pid}\\); .+\n$`,
      ),
    );
  }
  expect((await first.graphql('{ viewer { org { slug } } }')).data.viewer.org.slug).toBe('default');
});

test.each([
  ['a file', (path: string) => writeFileSync(path, '')],
  ['below a file', (path: string) => writeFileSync(join(path, '..'), '')],
  [
    'holding half a database',
    (path: string) => {
      mkdirSync(join(path, 'db'), { recursive: true });
      writeFileSync(join(path, 'db', 'PG_VERSION'), '17\n');
    },
  ],
])('a data directory that is %s is refused in one line', async (_case, make) => {
  const dataDirectory = join(temporaryDirectory(), 'parent', 'data');
  mkdirSync(join(dataDirectory, '..'));
  if (_case === 'below a file') rmSync(join(dataDirectory, '..'), { recursive: true });
  make(dataDirectory);
  const ended = await refusedStart({ PORT: '0', DATA_DIR: dataDirectory });
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^DATA_DIR: .+ cannot be (?:used|written) .+\n$/);
});

describe('beside a PostgreSQL server, a data directory that cannot hold the embedded registry', () => {
  const file = () => {
    const path = join(temporaryDirectory(), 'file');
    writeFileSync(path, '', { mode: 0o777 });
    return path;
  };
  // Where nothing can be made, /proc says that something is not there.
  test.each(['/dev/null', '/proc/packs/data', 'a file'])(
    '%s is refused in one line',
    async (place) => {
      const DATABASE_URL = await emptyPostgres();
      const environment = {
        PORT: '0',
        DATABASE_URL,
        DATA_DIR: place === 'a file' ? file() : place,
      };
      const line = /^DATA_DIR: .+ cannot be written .+ for example DATA_DIR=.+\n$/;
      const ended = await refusedStart(environment);
      expect(ended).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(line) });
      const checked = await run('src/commands/check-consistency.ts', environment);
      expect(checked).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(line) });
    },
  );
});

describe('a database that cannot be used is refused in one line without the password', () => {
  const server = () => new URL(inject('postgres'));
  const cases: Record<string, () => Promise<string>> = {
    'nobody listens': async () => `postgres://app:sekret@127.0.0.1:${await port('closed')}/packs`,
    'nobody answers': async () => `postgres://app:sekret@127.0.0.1:${await port('silent')}/packs`,
    'unknown host': async () => 'postgres://app:sekret@no-such-host.invalid/packs',
    'wrong password': async () => `postgres://postgres:sekret@${server().host}/template`,
    'unknown database': async () => `${inject('postgres')}/no_such_database`,
  };
  test.each(Object.keys(cases))('%s', { timeout: 180_000 }, async (name) => {
    const url = (await cases[name]?.()) ?? '';
    const dataDirectory = join(temporaryDirectory(), 'data');
    // A process that hangs is ended, and then there is no code.
    const ended = await refusedStart({
      PORT: '0',
      DATA_DIR: dataDirectory,
      DATABASE_URL: url,
    });
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(
      /^DATABASE_URL: the database cannot be used \(.+\); for example DATABASE_URL=.+\n$/,
    );
    expect(ended.stderr).not.toContain('sekret');
    expect(existsSync(dataDirectory)).toBe(false);
  });
});
