import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(`${root}README.md`, 'utf8');

/** The code blocks of a section in this language. */
function blocks(title: string, language: string): string[] {
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? '';
  return [...section.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].flatMap(([, tag, text = '']) =>
    tag === language ? [text] : [],
  );
}

test('the quick start, pasted into a shell, answers what README says', async () => {
  const gateway = await startGateway();
  const origin = await listening(gateway);
  const [, ...commands] = blocks('Quick start', 'sh');
  const [, ...answers] = blocks('Quick start', '');
  const script = commands.join('').replaceAll('http://127.0.0.1:4000', origin);
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    cwd: root,
    env: { PATH: process.env.PATH, API_KEY: OWNER_KEY },
  });
  expect(answers).toHaveLength(4);
  expect(stdout.replaceAll(/pack_[0-9a-f-]+/g, 'pack_…')).toBe(answers.join(''));
});
