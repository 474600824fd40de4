import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { run } from './run.ts';

const { scripts }: { scripts: Record<string, string> } = JSON.parse(
  readFileSync('package.json', 'utf8'),
);

/** What is run by those who run the service; developers have what `npm ci` brings. */
const operators = [
  ...['start', 'migrate', 'prune-audit', 'rotate-owner-key', 'check-consistency'],
  ...['restore-drill', 'platform-pack', 'demo'],
];

test.each(operators)('npm run %s refuses an older Node in one line', async (name) => {
  const pretend = `data:text/javascript,Object.defineProperty(process.versions, 'node', { value: '20.20.2' })`;
  const [, ...args] = scripts[name]?.split(' ') ?? [];
  const ended = await run(args.pop() ?? '', {}, ['--import', pretend, ...args]);
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^Node\.js 24 or newer is needed, and this is 20\.20\.2: .+\n$/);
});

test('npm brings a Node only where it can run and where one’s own is too old', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const brought = Object.entries<object>(packages).filter(([name]) =>
    name.startsWith('node_modules/node-linux-'),
  );
  expect(brought).toHaveLength(2);
  for (const [, entry] of brought) {
    // Their own manifests say neither `libc` nor `engines`: npm would put a glibc program first on the PATH of Alpine,
    // and this Node before a newer one.
    expect(entry).toMatchObject({
      optional: true,
      os: 'linux',
      libc: ['glibc'],
      engines: { node: '<24' },
    });
  }
});

test('the scripts are commands that any shell knows', () => {
  const special = Object.values(scripts).filter((script) =>
    /^exec\b|^\w+=|[&|;$%'"`\\<>()*]/.test(script),
  );
  expect(special).toEqual([]);
});
