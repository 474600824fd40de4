/**
 * The service's programs joined into few files each, for the many processes that tests start: to load some 1,600
 * modules one by one is two thirds of the processor time of a start. What is in the files is what the modules say.
 *
 * `npm run endurance`, and the tests of how the service starts, run the sources as operators do.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import { lockFile } from '../../src/data-directory/file-lock.ts';
import { isSweep } from './extent.ts';

const HOUSE = fileURLToPath(new URL('../..', import.meta.url));
/** Where Node finds the packages that stay as they are. */
const PLACE = join(HOUSE, 'node_modules/.cache/joined');
const PROGRAMS = ['src/main.ts', 'src/migrate.ts', 'src/commands/*.ts'];
/** It reads files that lie beside its modules. */
const AS_THEY_ARE = [/^@electric-sql\//];
const NAMES = { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' };
/** Longer than any run in which they could still be in use. */
const KEPT_MS = 3_600_000;

/** The file to run for one of the service's programs, such as `src/main.ts`. */
export async function joined(program: string): Promise<string> {
  if (isSweep) return join(HOUSE, program);
  made ??= make();
  return join(await made, program.replace(/^src\//, '').replace(/\.ts$/, '.mjs'));
}

let made: Promise<string> | undefined;

/** Made once for each state of the sources, by whichever test comes first. */
async function make(): Promise<string> {
  const directory = join(PLACE, stateOfSources());
  if (existsSync(directory)) return directory;
  mkdirSync(PLACE, { recursive: true });
  const lock = await lockFile(join(PLACE, 'lock'), { wait: 120_000 });
  if (lock === 'held') throw new Error(`${PLACE} is locked by another process`);
  try {
    if (!existsSync(directory)) await write(directory);
  } finally {
    await lock.release();
  }
  return directory;
}

function stateOfSources(): string {
  const hash = createHash('sha256');
  const files = globSync('src/**/*.{ts,js}', { cwd: HOUSE }).sort();
  for (const file of [...files, 'package-lock.json', fileURLToPath(import.meta.url)]) {
    hash.update(`${file}\0`).update(readFileSync(resolve(HOUSE, file)));
  }
  return hash.digest('hex').slice(0, 16);
}

async function write(directory: string): Promise<void> {
  for (const name of globSync('*/', { cwd: PLACE })) {
    const old = join(PLACE, name);
    if (Date.now() - statSync(old).mtimeMs > KEPT_MS) rmSync(old, { recursive: true, force: true });
  }
  const programs = globSync(PROGRAMS, { cwd: HOUSE });
  const bundle = await rolldown({
    cwd: HOUSE,
    input: Object.fromEntries(programs.map((file) => [file.slice(4, -3), file])),
    platform: 'node',
    external: AS_THEY_ARE,
    plugins: [inPlace],
    logLevel: 'silent',
  });
  // Under its own name only when it is whole.
  const begun = `${directory}.${process.pid}`;
  await bundle.write({ dir: begun, format: 'esm', ...NAMES, keepNames: true });
  await bundle.close();
  renameSync(begun, directory);
}

/** A module that looks for a file beside itself still finds it. */
const inPlace: Plugin = {
  name: 'in-place',
  transform: {
    filter: { id: /\/src\//, code: 'import.meta.url' },
    handler: (code, id) =>
      code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)),
  },
};
