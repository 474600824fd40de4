import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

/**
 * Pack archives for tests, good and hostile.
 *
 * The blocks are written here byte by byte, independently of `src/`: only so can a name be invalid UTF-8,
 * a size lie or a checksum be wrong, and only so is what the reader accepts checked against a second writer.
 */
export interface RawEntry {
  readonly name: string | Uint8Array;
  readonly content?: string | Uint8Array;
  /** The tar type flag; `0` (a file) unless told. */
  readonly type?: string;
  readonly mode?: number;
  /** What the header says, where it is to lie. */
  readonly size?: number;
  /** The twelve bytes of the size field, where they are to be no octal number. */
  readonly sizeField?: Uint8Array;
  readonly linkname?: string;
  readonly uid?: number;
  readonly uname?: string;
  readonly mtime?: number;
  /** Changes the header block before its checksum is made. */
  readonly header?: (block: Buffer) => unknown;
}

export interface SamplePack {
  readonly name?: string;
  readonly version?: string;
  readonly description?: string;
  /** More lines for pack.yaml. */
  readonly yaml?: string;
  /** More files, by path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** A small good pack as .tar.gz; the same arguments give the same bytes. */
export function samplePack(options: SamplePack = {}): Buffer {
  return gzipped(tarOf(samplePackEntries(options)));
}

/** The entries of `samplePack`, for tests that change one thing. */
export function samplePackEntries(options: SamplePack = {}): RawEntry[] {
  const {
    name = 'incident-triage',
    version = '1.0.0',
    description = 'A pack for tests.',
  } = options;
  const yaml = `name: ${name}\nversion: ${version}\ndescription: ${description}\n${options.yaml ?? ''}`;
  return [
    { name: 'pack.yaml', content: yaml },
    { name: 'behavior.md', content: '# Behave\n' },
    { name: 'guides/', type: '5', mode: 0o755 },
    { name: 'guides/start.md', content: '# Start\n' },
    { name: 'scripts/run.sh', content: '#!/bin/sh\n', mode: 0o755 },
    ...Object.entries(options.files ?? {}).map(([path, content]) => ({ name: path, content })),
  ];
}

/** A directory's files and directories as entries under `prefix`. */
export function entriesOfDirectory(directory: string, prefix = ''): RawEntry[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => {
    const full = join(directory, path);
    const name = `${prefix}${relative(directory, full)}`;
    const { mode } = statSync(full);
    return statSync(full).isDirectory()
      ? { name: `${name}/`, type: '5', mode }
      : { name, content: readFileSync(full), mode };
  });
}

/** A tar of the entries with its end marker. */
export function tarOf(entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.map(rawEntry), Buffer.alloc(1024)]);
}

export const gzipped = (tar: Uint8Array, level = 6): Buffer => gzipSync(tar, { level });

/** One entry: header, content and padding. */
export function rawEntry(entry: RawEntry): Buffer {
  const content = Buffer.from(entry.content ?? '');
  const header = Buffer.alloc(512);
  Buffer.from(entry.name).copy(header, 0, 0, 100);
  header.write(octal(entry.mode ?? 0o644, 7), 100);
  header.write(octal(entry.uid ?? 0, 7), 108);
  header.write(octal(entry.uid ?? 0, 7), 116);
  header.write(octal(entry.size ?? content.length, 11), 124);
  if (entry.sizeField !== undefined) header.set(entry.sizeField, 124);
  header.write(octal(entry.mtime ?? 1_700_000_000, 11), 136);
  header.write(entry.type ?? '0', 156, 'latin1');
  header.write(entry.linkname ?? '', 157);
  header.write('ustar\x0000', 257, 'latin1');
  header.write(entry.uname ?? '', 265);
  entry.header?.(header);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([withChecksum(header), content, padding]);
}

/** Writes the checksum that a changed header block needs to be believed. */
function withChecksum(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  let sum = 0;
  for (const byte of header) sum += byte;
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

/** A pax header (`x` for the next entry, `g` for all) with these records. */
export function paxHeader(records: Readonly<Record<string, string>>, type = 'x'): RawEntry {
  const content = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = Buffer.byteLength(rest);
    while (Buffer.byteLength(`${length}${rest}`) !== length) length += 1;
    return `${length}${rest}`;
  });
  return { name: 'PaxHeader', type, content: content.join('') };
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
