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

/** Runs commands as somebody who pastes them, against a gateway of the test's own. */
async function pasted(commands: readonly string[]): Promise<string> {
  const gateway = await startGateway();
  const origin = await listening(gateway);
  const script = commands.join('').replaceAll('http://127.0.0.1:4000', origin);
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    cwd: root,
    env: { PATH: process.env.PATH, API_KEY: OWNER_KEY },
  });
  return stdout.replaceAll(/pack_[0-9a-f-]+/g, 'pack_…');
}

test('what is in a pack and its next version, pasted after it, answer what README says', async () => {
  const [, functions = ''] = blocks('Quick start', 'sh');
  const titles = ['See what is in it', 'Ship a new version'];
  const archive = 'tar -czf /tmp/pack.tar.gz -C examples/incident-triage .\n';
  const stdout = await pasted([
    functions,
    archive,
    ...titles.flatMap((title) => blocks(title, 'sh')),
  ]);
  expect(stdout).toBe(titles.flatMap((title) => blocks(title, '')).join(''));
});

test('the quick start, pasted into a shell, answers what README says', async () => {
  const [, ...commands] = blocks('Quick start', 'sh');
  const [, ...answers] = blocks('Quick start', '');
  expect(answers).toHaveLength(4);
  expect(await pasted(commands)).toBe(answers.join(''));
});
