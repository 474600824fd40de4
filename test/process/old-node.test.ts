import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { run } from './run.ts';

test('an older Node is refused in one line that says what is needed', async () => {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' })`;
  const ended = await run('src/start.js', {}, ['--import', `data:text/javascript,${pretend}`]);
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^Node\.js 24 or newer is needed, and this is 20\.20\.2: .+\n$/);
});

test("where the Node that npm brings cannot run, one's own is left alone", () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const brought = Object.entries<{ libc?: string[] }>(packages).filter(([name]) =>
    name.startsWith('node_modules/node-linux-'),
  );
  // Their own manifests do not say it; without it npm puts a glibc program first on the PATH of Alpine.
  expect(brought.map(([, { libc }]) => libc)).toEqual([['glibc'], ['glibc']]);
});

test('the scripts are commands that any shell knows', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(Object.values<string>(scripts).filter((script) => /^exec\b|&&|;/.test(script))).toEqual(
    [],
  );
});
