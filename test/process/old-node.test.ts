import { expect, test } from 'vitest';
import { run } from './run.ts';

test('an older Node is refused in one line that says what is needed', async () => {
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '20.20.2' })`;
  const ended = await run('src/start.js', {}, ['--import', `data:text/javascript,${pretend}`]);
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^Node\.js 24 or newer is needed, and this is 20\.20\.2: .+\n$/);
});
