import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openPGlite } from '../../src/database/embedded.ts';
import { makeDatabaseFiles } from '../../src/database/embedded-files.ts';
import { temporaryDirectory } from '../process/run.ts';

test('what a start that was cut off has left becomes a database', async () => {
  const directory = join(temporaryDirectory(), 'db');
  await makeDatabaseFiles(directory);
  const whole = readFileSync(join(directory, 'global', '1213'));
  // As it stands where a process dies between two files, or within one.
  rmSync(join(directory, 'PG_VERSION'));
  rmSync(join(directory, 'base'), { recursive: true });
  writeFileSync(join(directory, 'global', '1213'), whole.subarray(0, 100));
  const database = await openPGlite(directory);
  onTestFinished(() => database.close());
  const { rows } = await database.query(`select count(*)::int as databases from pg_database`);
  expect(rows).toEqual([{ databases: 3 }]);
});

test('a directory with a database in it is left as it is', async () => {
  const directory = join(temporaryDirectory(), 'db');
  mkdirSync(directory);
  writeFileSync(join(directory, 'PG_VERSION'), 'of another');
  await makeDatabaseFiles(directory);
  expect(readFileSync(join(directory, 'PG_VERSION'), 'utf8')).toBe('of another');
  expect(() => readFileSync(join(directory, 'global', '1213'))).toThrow('ENOENT');
});
