/** The files of a new embedded database. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

/** PostgreSQL takes a directory with it for a database. */
const MARK = 'PG_VERSION';

/**
 * Makes a database where there is none, of the copy that PGlite's makers ship: to run its own initdb takes longer than
 * all else of a start. A start that is cut off here leaves no database, and the next one begins anew.
 */
export async function makeDatabaseFiles(directory: string): Promise<void> {
  if (existsSync(join(directory, MARK))) return;
  // Loaded only here: it is needed once.
  const { dataDir } = await import('@electric-sql/pglite-prepopulatedfs');
  const packed = Buffer.from(await (await dataDir()).arrayBuffer());
  // Unpacked into one buffer, of the size that ends a gzip file (RFC 1952): from pieces it takes twice as long.
  const archive = await promisify(gunzip)(packed, {
    chunkSize: packed.readUInt32LE(packed.length - 4),
  });
  mkdirSync(directory, { recursive: true });
  let mark: Buffer = archive.subarray(0, 0);
  // Written here and not by PGlite, which takes four times as long through the file system that it shows PostgreSQL.
  for (const { name, isDirectory, content } of entriesOf(archive)) {
    if (name === `/${MARK}`) mark = content;
    else if (isDirectory) mkdirSync(join(directory, name), { recursive: true });
    else writeFileSync(join(directory, name), content);
  }
  writeFileSync(join(directory, MARK), mark);
}

const BLOCK = 512;
const DIRECTORY = '5'.charCodeAt(0);

/** What the copy holds: a plain ustar archive of short names, in which directories come before their files. */
function* entriesOf(archive: Buffer) {
  for (let at = 0; archive[at]; ) {
    const text = (from: number, to: number) => archive.toString('latin1', at + from, at + to);
    const [name = ''] = text(0, 100).split('\0');
    const size = Number.parseInt(text(124, 136), 8);
    const isDirectory = archive[at + 156] === DIRECTORY;
    const content = archive.subarray(at + BLOCK, at + BLOCK + size);
    yield { name, isDirectory, content };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
