/** The house of `ARCHITECTURE.md`: every import points down, and no two files need each other. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** From the roof to the ground; a file may import its own floor and those below it. */
const floors: Readonly<Record<string, readonly string[]>> = {
  process: ['needs-node.js', 'start.js', 'main.ts', 'serve.ts', 'app.ts', 'migrate.ts'],
  surfaces: ['server/', 'http/', 'graphql/', 'rest/', 'commands/', 'request-record.ts'],
  domain: [
    'packs/',
    'roles/',
    'keys/',
    'audit/',
    'consistency/',
    'identity/',
    'outcomes.ts',
    'problem-details.ts',
    'page.ts',
    'input.ts',
  ],
  world: [
    'world.ts',
    'parser-thread.ts',
    'orgs-in-turn.ts',
    'database/',
    'telemetry/',
    'outage.ts',
  ],
  model: ['model/', 'field-problem.ts', 'request-refused.ts'],
  ground: [
    'registry/',
    'outgoing/',
    'data-directory/',
    'database-address/',
    'log.ts',
    'quoted.ts',
    'config.ts',
    'setting-forms.ts',
    'settings.ts',
    'slug.ts',
    'start-error.ts',
    'stdout.ts',
    'work-directory.ts',
  ],
};

const files = globSync('**/*.{ts,js}', { cwd: 'src' });
const importsOf = new Map(files.map((file) => [file, importedBy(file)]));

/** Type imports count: what needs another's types cannot be read without it. */
function importedBy(file: string): string[] {
  const text = readFileSync(join('src', file), 'utf8');
  return [...text.matchAll(/\b(?:from|import\(?)\s*'(\.[^']*)'/g)].map(([, path = '']) =>
    join(dirname(file), path),
  );
}

function floorOf(file: string): number {
  return Object.values(floors).findIndex((rooms) =>
    rooms.some((room) => (room.endsWith('/') ? file.startsWith(room) : file === room)),
  );
}

test('every file has its floor', () => {
  expect(files.filter((file) => floorOf(file) === -1)).toEqual([]);
  expect([...importsOf.values()].flat().filter((file) => !importsOf.has(file))).toEqual([]);
});

test('no import points upwards', () => {
  const upwards = [...importsOf].flatMap(([file, imported]) =>
    imported
      .filter((other) => floorOf(other) < floorOf(file))
      .map((other) => `${file} -> ${other}`),
  );
  expect(upwards).toEqual([]);
});

test('no files import each other in a circle', () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at !== -1) circles.push([...path.slice(at), file].join(' -> '));
    if (at !== -1 || done.has(file)) return;
    for (const imported of importsOf.get(file) ?? []) visit(imported, [...path, file]);
    done.add(file);
  };
  for (const file of files) visit(file, []);
  expect(circles).toEqual([]);
});
