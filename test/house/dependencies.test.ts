/** What is installed: running needs what `npm ci --omit=dev` brings and nothing of it is for nobody. */
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** The packages that these files import, types included. */
function imported(...patterns: string[]): string[] {
  const names = globSync(patterns).flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    const imports =
      /^(?:import|export)(?: [^;'=()]*\bfrom)? '([^.'][^']*)'|\bimport\('([^.'][^']*)'\)/gm;
    return [...text.matchAll(imports)].map(([, fixed, lazy = '']) => fixed ?? lazy);
  });
  const packages = names
    .filter((name) => !isBuiltin(name))
    .map((name) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
  return [...new Set(packages)].sort();
}

test('the service and the demo import all that is installed for running, and nothing else', () => {
  const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  expect(imported('src/**/*.{ts,js}', 'examples/demo.ts', 'examples/demo/*.ts')).toEqual(
    Object.keys(dependencies).sort(),
  );
});

test('OpenTelemetry and the tools of GraphQL are there in one generation', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const names = Object.keys(packages).flatMap(
    (path) => /@opentelemetry\/[^/]+$|@graphql-tools\/utils$/.exec(path) ?? [],
  );
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test('what only some servers use is loaded by no other', () => {
  const loaded = new Set(['src/serve.ts']);
  // A set goes on to what is added to it.
  for (const file of loaded) {
    if (!file.startsWith('src/')) continue;
    const text = readFileSync(file, 'utf8');
    for (const [, name = ''] of text.matchAll(
      /^(?:import|export) (?!type\b)[^;'=()]*'([^']*)'/gm,
    )) {
      loaded.add(name.startsWith('.') ? join(dirname(file), name) : name);
    }
  }
  const some =
    /^@electric-sql|^@mikro-orm\/pglite|^@opentelemetry\/(?!api)|render-graphiql|^@hono\/zod-openapi/;
  expect(loaded).toContain('@mikro-orm/postgresql');
  expect([...loaded].filter((name) => some.test(name))).toEqual([]);
});
