import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { Invalid } from '../../field-problem.ts';
import type { Parser } from '../../parser-thread.ts';
import { LARGEST_PACK_YAML, type PackMetadataOutcome } from '../pack-metadata.ts';
import { ArchiveRefused, ArchiveTooLarge, entryProblemPath } from './archive-refused.ts';
import { ByteReader } from './byte-reader.ts';
import { readEntryPath } from './entry-path.ts';
import type { PackContents, PackFile } from './pack-contents.ts';
import { MOST_NODES, PackTree } from './pack-tree.ts';
import { readPackYaml } from './read-pack-yaml.ts';
import { Spool } from './spool.ts';
import { readTar } from './tar-reader.ts';
import { gunzipped, type TarSource, uncompressed } from './tar-source.ts';

export interface ReadArchiveOptions {
  /** Largest compressed archive; unpacked it may be four times as large. */
  readonly maxArchiveBytes: number;
  readonly parserThread: Parser;
}

export type ReadPackArchiveOutcome =
  | { readonly kind: 'pack'; readonly pack: PackContents }
  | Invalid
  | { readonly kind: 'too_large'; readonly limit: number };

/** How much larger than an upload its contents may be (contract, "Pack archives"). */
const UNPACKED_FACTOR = 4;
/** What headers and padding may add to the contents: a header, a pax header and two paddings for every entry, and again for Finder's `._` beside it. */
const TAR_OVERHEAD_BYTES = MOST_NODES * 4096;

const mostContentBytes = (maxArchiveBytes: number): number => maxArchiveBytes * UNPACKED_FACTOR;

/** Bytes that the tar of a pack may have, whoever reads it. */
export const mostTarBytes = (maxArchiveBytes: number): number =>
  mostContentBytes(maxArchiveBytes) + TAR_OVERHEAD_BYTES;

/** Read in one go: a tar that is made here, of files that hold little, waits for nothing by itself. */
const ENTRIES_AT_ONCE = 200;

/** The option of tar that makes a file of what a pack cannot hold. */
const HOW_TO_AVOID: Readonly<Record<string, string>> = {
  'a hard link':
    'make the archive with tar --hard-dereference (GNU tar), or give the second name a copy',
  'a symbolic link':
    'make the archive with tar -h (--dereference), in GNU tar together with --hard-dereference, which stores what it points to',
  'a sparse file':
    'make the archive without -S (GNU tar) or with --no-read-sparse (bsdtar, which macOS has)',
  'a directory of an incremental backup': 'make the archive without -g (--listed-incremental)',
  'the rest of a file of another volume': 'make the archive without -M (--multi-volume)',
  'a volume label': 'make the archive without -V (--label)',
};

/**
 * Reads an uploaded `.tar.gz`, checks every entry and spools the contents into `workDirectory`
 * (an empty directory of the caller's, who removes it when the pack is no longer needed).
 *
 * Reading stops at the first structural problem; the problems of `pack.yaml` are all listed. `archive` is destroyed
 * in every case. Rejects only when `archive` itself breaks (the client hung up) or the disk does.
 */
export const readPackArchive = (
  archive: Readable,
  options: ReadArchiveOptions,
  workDirectory: string,
): Promise<ReadPackArchiveOutcome> =>
  readPack(gunzipped(archive, options.maxArchiveBytes), options, workDirectory);

/** Reads a tar by the same rules, but for what it takes when it is compressed, which only its image can tell. */
export const readPackTar = (
  tar: Readable,
  options: ReadArchiveOptions,
  workDirectory: string,
): Promise<ReadPackArchiveOutcome> => readPack(uncompressed(tar), options, workDirectory);

async function readPack(
  source: TarSource,
  { maxArchiveBytes, parserThread }: ReadArchiveOptions,
  workDirectory: string,
): Promise<ReadPackArchiveOutcome> {
  let spool: Spool | null = null;
  try {
    spool = await Spool.create(workDirectory);
    const reader = new ByteReader(source.chunks, mostTarBytes(maxArchiveBytes));
    const { found, tree } = await readEntries(reader, spool, mostContentBytes(maxArchiveBytes));
    // The tar is complete; the gzip trailer is not checked and the upload not measured before its end.
    await source.done;

    const { depth, directories } = tree.findPack();
    const files = found.map(({ segments, ...file }) => ({
      ...file,
      path: segments.slice(depth).join('/'),
    }));
    const read = await readMetadata(files, spool, parserThread);
    if (read.kind === 'invalid') return read;
    const { metadata } = read;
    return { kind: 'pack', pack: { metadata, files, directories, spool: spool.path } };
  } catch (error) {
    if (error instanceof ArchiveTooLarge) return { kind: 'too_large', limit: maxArchiveBytes };
    if (error instanceof ArchiveRefused) return { kind: 'invalid', fields: [error.problem] };
    throw error;
  } finally {
    source.close();
    await spool?.close();
  }
}

/** A file whose path is known when the wrapping directory is. */
interface FoundFile extends Omit<PackFile, 'path'> {
  readonly segments: readonly string[];
  readonly shown: string;
}

async function readEntries(
  reader: ByteReader,
  spool: Spool,
  mostContent: number,
): Promise<{ found: FoundFile[]; tree: PackTree }> {
  const tree = new PackTree();
  const found: FoundFile[] = [];
  let entries = 0;
  let litter = 0;
  for await (const entry of readTar(reader)) {
    if ((entries + litter) % ENTRIES_AT_ONCE === 0) await setImmediate();
    const path = readEntryPath(entry.name);
    if (path.kind === 'litter') {
      litter += 1;
      if (litter <= MOST_NODES) continue;
      throw new ArchiveRefused(
        'archive',
        `has more than ${MOST_NODES} files that a desktop left (.DS_Store and the like)`,
      );
    }
    const { shown } = path;
    const refuse = (message: string): never => {
      throw new ArchiveRefused(entryProblemPath(shown), message);
    };
    if (path.kind === 'refused') return refuse(path.message);
    entries += 1;
    // The tree counts what is in the pack; its root may be named any number of times.
    if (entries > MOST_NODES + 1) refuse(`the archive has more than ${MOST_NODES} entries`);
    const { kind, what, size, executable } = entry;
    if (kind === 'other') {
      const hint = HOW_TO_AVOID[what];
      refuse(
        `is ${what}; a pack has files and directories only${hint === undefined ? '' : `: ${hint}`}`,
      );
    }
    const { segments } = path;
    tree.add(shown, segments, kind === 'directory' ? 'directory' : 'file');
    if (kind === 'directory') continue;
    // By what the header says, before a byte of it is written.
    if (spool.length + size > mostContent) {
      refuse(`with this entry the archive unpacks to more than ${mostContent} bytes`);
    }
    const offset = spool.length;
    await spool.append(entry.content());
    found.push({ shown, segments, executable, size, offset });
  }
  return { found, tree };
}

async function readMetadata(
  files: readonly (PackFile & Pick<FoundFile, 'shown'>)[],
  spool: Spool,
  parserThread: Parser,
): Promise<PackMetadataOutcome> {
  const file = files.find(({ path }) => path === 'pack.yaml');
  if (file === undefined) {
    throw new ArchiveRefused('pack.yaml', 'is missing; every pack has one at its top');
  }
  if (file.size > LARGEST_PACK_YAML) {
    throw new ArchiveRefused(
      entryProblemPath(file.shown),
      `is larger than ${LARGEST_PACK_YAML} bytes`,
    );
  }
  return readPackYaml(parserThread, await spool.read(file.offset, file.size));
}
