import { ArchiveRefused, entryProblemPath, HOW_TO_MAKE_ONE } from './archive-refused.ts';
import type { ByteReader } from './byte-reader.ts';
import { BLOCK, decodeHeader, decodePax, isZeroBlock, untilNul } from './tar-header.ts';

/** One entry; `content` may be read once, before the next entry is asked for, and is skipped otherwise. */
export interface TarEntry {
  readonly name: Uint8Array;
  readonly kind: 'file' | 'directory' | 'other';
  /** What the entry is, in words: `a symbolic link`. */
  readonly what: string;
  /** Of a hard link: the name of the entry before it that it is another name of. */
  readonly target: Uint8Array | null;
  readonly size: number;
  readonly executable: boolean;
  readonly content: () => AsyncGenerator<Uint8Array, void>;
}

/** Long names and attributes are small; what is larger is meant to fill our memory. */
const LARGEST_EXTENDED_HEADER = 256 * 1024;
/** A real entry has one or two (GNU long name and long link, or pax). */
const MOST_EXTENDED_HEADERS = 4;
/** Of all pax headers together: fifteen for each of 10,000 entries; a real one has some five. Each costs a microsecond. */
const MOST_PAX_RECORDS = 150_000;
/** Zeros at the end, which fill up a tape's record: 10 KiB, or what `tar -b` says. */
const MOST_PADDING = 16 * 1024 * 1024;
const PIECE = 64 * 1024;
const SLASH = 0x2f;

const HARD_LINK = '1';
const OTHER_TYPES: Readonly<Record<string, string>> = {
  [HARD_LINK]: 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a named pipe',
  S: 'a sparse file',
  D: 'a directory of an incremental backup',
  M: 'the rest of a file of another volume',
  V: 'a volume label',
};

/**
 * Reads a tar stream entry by entry in constant memory, pulling only what is asked for.
 *
 * Written here and not taken from a package for three reasons, each of which a hostile archive uses:
 * names must be seen as bytes (invalid UTF-8 is refused, not repaired), extended headers must be bounded in size
 * and number (merging a 4 MiB global header into every entry stalls a process), and what follows the end marker
 * must be noticed. Throws `ArchiveRefused` when the stream is no well-formed tar.
 */
export async function* readTar(reader: ByteReader): AsyncGenerator<TarEntry, void> {
  let lastName = '';
  const corrupt = (message: string): ArchiveRefused =>
    new ArchiveRefused(
      lastName === '' ? 'archive' : entryProblemPath(lastName),
      lastName === '' ? message : `${message} (in or after this entry)`,
    );

  const exactly = async (count: number): Promise<Uint8Array> => {
    const bytes = await reader.exactly(count);
    if (bytes === null) throw corrupt('the archive ends in the middle of an entry');
    return bytes;
  };

  const extended = async (size: number): Promise<Uint8Array> => {
    if (size > LARGEST_EXTENDED_HEADER) throw corrupt('an extended header is too large');
    return (await exactly(padded(size))).subarray(0, size);
  };

  let longName: Uint8Array | null = null;
  let longLink: Uint8Array | null = null;
  let longSize: number | null = null;
  let sparse = false;
  let extendedHeaders = 0;
  let paxRecords = 0;
  let headers = 0;

  for (;;) {
    const badHeader = headers === 0 ? noTar : corrupt;
    const block = await nextBlock(reader, badHeader);
    if (block === null) break;
    const header = decodeHeader(block);
    if (header === null) throw badHeader('the archive holds a corrupt tar header');
    headers += 1;

    if ('xXgLK'.includes(header.type)) {
      extendedHeaders += 1;
      if (extendedHeaders > MOST_EXTENDED_HEADERS) throw corrupt('too many extended headers');
      const content = await extended(header.size);
      if (header.type === 'L') longName = untilNul(content);
      if (header.type === 'K') longLink = untilNul(content);
      if ('xXg'.includes(header.type)) {
        const pax = decodePax(content);
        if (pax === null) throw corrupt('the archive holds a malformed pax header');
        paxRecords += pax.records;
        if (paxRecords > MOST_PAX_RECORDS) throw corrupt('the archive has too many pax records');
        const renames = pax.path !== undefined || pax.size !== undefined || pax.sparse;
        if (header.type === 'g' && renames) throw corrupt('a global header renames every entry');
        longName = pax.path ?? longName;
        longLink = pax.linkPath ?? longLink;
        longSize = pax.size ?? longSize;
        sparse ||= pax.sparse;
      }
      continue;
    }

    for (let more = header.isExtended; more; ) more = (await exactly(BLOCK))[504] === 1;
    const name = longName ?? header.name;
    const size = longSize ?? header.size;
    lastName = Buffer.from(name).toString();
    const { kind, what } = sparse ? SPARSE : describe(header.type, name);
    if (kind === 'directory' && size > 0) throw corrupt('a directory says that it has content');

    let unread = size;
    const content = async function* (): AsyncGenerator<Uint8Array, void> {
      while (unread > 0) {
        const piece = await reader.some(Math.min(unread, PIECE));
        if (piece === null) throw corrupt('the archive ends in the middle of an entry');
        unread -= piece.length;
        yield piece;
      }
    };
    const target = header.type === HARD_LINK ? (longLink ?? header.linkName) : null;
    yield { name, kind, what, target, size, executable: (header.mode & 0o100) !== 0, content };
    for await (const _skipped of content());
    await exactly(padded(size) - size);

    longName = null;
    longLink = null;
    longSize = null;
    sparse = false;
    extendedHeaders = 0;
  }
  await onlyZeros(reader, corrupt);
}

const noTar = (fault: string): ArchiveRefused =>
  new ArchiveRefused(
    'archive',
    `is gzip, but there is no tar in it: ${fault} where it begins. Was it gzipped twice? If not, ${HOW_TO_MAKE_ONE}`,
  );

const SPARSE = { kind: 'other', what: 'a sparse file' } as const;

const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

function describe(type: string, name: Uint8Array): Pick<TarEntry, 'kind' | 'what'> {
  // Tars from before POSIX had no type for a directory: its name ends in a slash.
  if (type === '5' || (type === '0' && name.at(-1) === SLASH)) {
    return { kind: 'directory', what: 'a directory' };
  }
  // POSIX: a contiguous file ('7') may be read as a regular one.
  if (type === '0' || type === '7') return { kind: 'file', what: 'a file' };
  return { kind: 'other', what: OTHER_TYPES[type] ?? 'of a kind unknown to packs' };
}

/** The next header block, or null at the end marker; archives without one are accepted. */
async function nextBlock(
  reader: ByteReader,
  corrupt: (message: string) => ArchiveRefused,
): Promise<Uint8Array | null> {
  const first = await reader.some(BLOCK);
  if (first === null) return null;
  const rest = await reader.exactly(BLOCK - first.length);
  if (rest === null) throw corrupt('the archive ends in the middle of a header');
  const block = Buffer.concat([first, rest]);
  return isZeroBlock(block) ? null : block;
}

/** Whatever follows the end marker would be dropped silently (two tars joined by `cat`), so it is refused. */
async function onlyZeros(
  reader: ByteReader,
  corrupt: (message: string) => ArchiveRefused,
): Promise<void> {
  for (let zeros = 0; zeros <= MOST_PADDING; ) {
    const piece = await reader.some(PIECE);
    if (piece === null) return;
    if (!isZeroBlock(piece)) throw corrupt('the archive goes on after its end marker');
    zeros += piece.length;
  }
  throw new ArchiveRefused('archive', `ends in more than ${MOST_PADDING} zeros`);
}
