import type { Readable } from 'node:stream';
import type { FieldProblem } from '../../field-problem.ts';
import type { ParserThread } from '../../parser-thread.ts';
import { ArchiveRefused, ArchiveTooLarge, entryProblemPath } from './archive-refused.ts';
import { ByteReader } from './byte-reader.ts';
import { readEntryPath } from './entry-path.ts';
import { gunzipped } from './gunzipped.ts';
import type { PackContents, PackFile } from './pack-contents.ts';
import { PackTree } from './pack-tree.ts';
import { LARGEST_PACK_YAML, type PackMetadataOutcome } from './pack-yaml.ts';
import { readPackYaml } from './read-pack-yaml.ts';
import { Spool } from './spool.ts';
import { readTar, type TarEntry } from './tar-reader.ts';

export interface ReadArchiveOptions {
  /** Largest compressed archive; unpacked it may be four times as large. */
  readonly maxArchiveBytes: number;
  readonly parserThread: ParserThread;
}

export type ReadPackArchiveOutcome =
  | { readonly kind: 'pack'; readonly pack: PackContents }
  | { readonly kind: 'invalid'; readonly fields: readonly FieldProblem[] }
  | { readonly kind: 'too_large'; readonly limit: number };

const MOST_ENTRIES = 10_000;
const UNPACKED_FACTOR = 4;
/** What headers and padding may add to the contents: a header, a pax header and two paddings for every entry. */
const TAR_OVERHEAD_BYTES = MOST_ENTRIES * 4096;

/**
 * Reads an uploaded `.tar.gz`, checks every entry and spools the contents into `workDirectory`
 * (an empty directory of the caller's, who removes it when the pack is no longer needed).
 *
 * Reading stops at the first structural problem; the problems of `pack.yaml` are all listed. `archive` is destroyed
 * in every case. Rejects only when `archive` itself breaks (the client hung up) or the disk does.
 */
export async function readPackArchive(
  archive: Readable,
  { maxArchiveBytes, parserThread }: ReadArchiveOptions,
  workDirectory: string,
): Promise<ReadPackArchiveOutcome> {
  const source = gunzipped(archive, maxArchiveBytes);
  let spool: Spool | null = null;
  try {
    spool = await Spool.create(workDirectory);
    const mostContent = maxArchiveBytes * UNPACKED_FACTOR;
    const reader = new ByteReader(source.chunks, mostContent + TAR_OVERHEAD_BYTES);
    const { files, tree } = await readEntries(reader, spool, mostContent);
    // The tar is complete; the gzip trailer is not checked and the upload not measured before its end.
    await source.done;

    const metadata = await readMetadata(files, spool, parserThread);
    if (metadata.kind === 'invalid') return metadata;
    const directories = tree.directories();
    return {
      kind: 'pack',
      pack: { metadata: metadata.metadata, files, directories, spool: spool.path },
    };
  } catch (error) {
    if (error instanceof ArchiveTooLarge) return { kind: 'too_large', limit: maxArchiveBytes };
    if (error instanceof ArchiveRefused) return { kind: 'invalid', fields: [error.problem] };
    throw error;
  } finally {
    source.close();
    await spool?.close();
  }
}

async function readEntries(
  reader: ByteReader,
  spool: Spool,
  mostContent: number,
): Promise<{ files: PackFile[]; tree: PackTree }> {
  const tree = new PackTree();
  const files: PackFile[] = [];
  let entries = 0;
  for await (const entry of readTar(reader)) {
    const { shown, segments } = allowedPath(entry);
    const refuse = (message: string): never => {
      throw new ArchiveRefused(entryProblemPath(shown), message);
    };
    entries += 1;
    if (entries > MOST_ENTRIES) {
      refuse(`the archive has more than ${MOST_ENTRIES} entries; this is the first too many`);
    }
    if (entry.kind === 'other') refuse(`is ${entry.what}; a pack has files and directories only`);
    const kind = entry.kind === 'directory' ? 'directory' : 'file';
    const path = tree.add(shown, segments, kind);
    if (path === null || kind === 'directory') continue;
    if (path === 'pack.yaml' && entry.size > LARGEST_PACK_YAML) {
      refuse(`is larger than ${LARGEST_PACK_YAML} bytes`);
    }
    // By what the header says, before a byte of it is written.
    if (spool.length + entry.size > mostContent) {
      refuse(`with this entry the archive unpacks to more than ${mostContent} bytes`);
    }
    const offset = spool.length;
    await spool.append(entry.content());
    files.push({ path, executable: entry.executable, size: entry.size, offset });
  }
  return { files, tree };
}

function allowedPath(entry: TarEntry): { shown: string; segments: readonly string[] } {
  const path = readEntryPath(entry.name);
  if (path.kind === 'refused') throw new ArchiveRefused(entryProblemPath(path.shown), path.message);
  return path;
}

async function readMetadata(
  files: readonly PackFile[],
  spool: Spool,
  parserThread: ParserThread,
): Promise<PackMetadataOutcome> {
  const file = files.find(({ path }) => path === 'pack.yaml');
  if (file === undefined) {
    throw new ArchiveRefused('pack.yaml', 'is missing; every pack has one at its top');
  }
  return readPackYaml(parserThread, await spool.read(file.offset, file.size));
}
