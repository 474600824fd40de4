import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { generate } from '@graphql-codegen/cli';
import { expect, test } from 'vitest';
import config from '../../codegen.ts';

const DIRECTORY = 'examples/typed-client/generated/';

test('the generated client is the one that codegen would write now (npm run codegen)', async () => {
  const files: { filename: string; content: string }[] = await generate(
    { ...config, silent: true, errorsOnly: true },
    false,
  );
  const committed = readdirSync(DIRECTORY).map((name) => `${DIRECTORY}${name}`);
  expect(files.map(({ filename }) => filename).sort()).toEqual(committed.sort());
  for (const { filename, content } of files) {
    expect(readFileSync(filename, 'utf8'), filename).toBe(content);
  }
});

test('the hash of a persisted document is the SHA-256 of its text, as Apollo clients compute it', () => {
  const documents: Record<string, string> = JSON.parse(
    readFileSync(`${DIRECTORY}persisted-documents.json`, 'utf8'),
  );
  expect(Object.keys(documents).length).toBe(readdirSync('examples/operations').length);
  for (const [hash, text] of Object.entries(documents)) {
    expect(hash).toBe(`sha256:${createHash('sha256').update(text).digest('hex')}`);
  }
});
