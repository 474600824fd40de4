/**
 * The blocks of a tar file. Sources: POSIX.1-2024 `pax`, "ustar Interchange Format" and "pax Extended Header";
 * the GNU tar manual, "Basic Tar Format", for `L`, `K`, `S` and base-256 numbers.
 */

export const BLOCK = 512;

/** A header block as it stands, before extended headers change its name or size. */
export interface TarHeader {
  readonly name: Uint8Array;
  readonly mode: number;
  readonly size: number;
  readonly type: string;
  /** Of a link: what it leads to. */
  readonly linkName: Uint8Array;
  /** Whether blocks with more of a sparse file's map follow (the GNU manual, "Storing Sparse Files"). */
  readonly isExtended: boolean;
}

/** What a pax extended header changes about the entry after it. */
export interface PaxOverrides {
  readonly path?: Uint8Array;
  readonly linkPath?: Uint8Array;
  readonly size?: number;
  readonly sparse: boolean;
  /** How many there were, of any kind. */
  readonly records: number;
}

const CHECKSUM = { start: 148, end: 156 };
const SPACE = 0x20;

/** Reads one header block; null when it is not one (wrong checksum, a number that is none). */
export function decodeHeader(block: Uint8Array): TarHeader | null {
  const mode = number(block.subarray(100, 108));
  const size = number(block.subarray(124, 136));
  const sum = number(block.subarray(CHECKSUM.start, CHECKSUM.end));
  if (mode === null || size === null || sum === null || !isChecksum(sum, block)) return null;
  const type = ascii(block.subarray(156, 157));
  return {
    name: fullName(block),
    mode,
    size,
    type: type === '\0' ? '0' : type,
    linkName: untilNul(block.subarray(157, 257)),
    isExtended: type === 'S' && block[482] === 1,
  };
}

const ZEROS = Buffer.alloc(64 * 1024);

/** Whether `block`, of at most 64 KiB, holds zeros only. */
export const isZeroBlock = (block: Uint8Array): boolean =>
  ZEROS.compare(block, 0, block.length, 0, block.length) === 0;

/** Reads the records `<length> <key>=<value>\n` of a pax header; null when they are malformed. */
export function decodePax(records: Uint8Array): PaxOverrides | null {
  let path: Uint8Array | undefined;
  let linkPath: Uint8Array | undefined;
  let sparseName: Uint8Array | undefined;
  let size: number | undefined;
  let sparse = false;
  let count = 0;
  for (let at = 0; at < records.length; ) {
    const space = records.subarray(at, at + 10).indexOf(SPACE);
    const digits = ascii(records.subarray(at, at + Math.max(space, 0)));
    if (!/^[1-9][0-9]*$/.test(digits)) return null;
    const end = at + Number(digits);
    const record = records.subarray(at + space + 1, end);
    const equals = record.indexOf(0x3d);
    if (end > records.length || record.at(-1) !== 0x0a || equals < 1) return null;
    const value = record.subarray(equals + 1, -1);
    const key = ascii(record.subarray(0, equals));
    if (key === 'path') path = value;
    if (key === 'linkpath') linkPath = value;
    // The path of a sparse file is then one that nobody gave it: `GNUSparseFile.123/db.sqlite`.
    if (key === 'GNU.sparse.name') sparseName = value;
    // Solaris' tar calls it by another name.
    if (key.startsWith('GNU.sparse.') || key === 'SUN.holesdata') sparse = true;
    if (key === 'size') {
      size = /^[0-9]+$/.test(ascii(value)) ? Number(ascii(value)) : Number.NaN;
      if (!Number.isSafeInteger(size)) return null;
    }
    count += 1;
    at = end;
  }
  const name = sparseName ?? path;
  return {
    sparse,
    records: count,
    ...(name === undefined ? {} : { path: name }),
    ...(linkPath === undefined ? {} : { linkPath }),
    ...(size === undefined ? {} : { size }),
  };
}

/** The bytes before the first NUL. */
export function untilNul(field: Uint8Array): Uint8Array {
  const nul = field.indexOf(0);
  return nul < 0 ? field : field.subarray(0, nul);
}

function fullName(block: Uint8Array): Uint8Array {
  const name = untilNul(block.subarray(0, 100));
  // GNU's magic is `ustar` and two spaces, and it keeps other things where POSIX has the prefix.
  const posix = ascii(block.subarray(257, 263)) === 'ustar\0';
  // star keeps times where the last bytes of the prefix would be, and says so at the end of the block.
  const prefixEnd = ascii(block.subarray(508, 512)) === 'tar\0' ? 476 : 500;
  const prefix = posix ? untilNul(block.subarray(345, prefixEnd)) : new Uint8Array(0);
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]);
}

/** Some old tars, such as Sun's, add bytes up as signed ones, which differs where a name is not ASCII. */
function isChecksum(sum: number, block: Uint8Array): boolean {
  let unsigned = (CHECKSUM.end - CHECKSUM.start) * SPACE;
  let signed = unsigned;
  for (let at = 0; at < block.length; at += 1) {
    if (at >= CHECKSUM.start && at < CHECKSUM.end) continue;
    const byte = block[at] ?? 0;
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  return sum === unsigned || sum === signed;
}

/** An octal number, or GNU's base-256 when the top bit is set; null when it is neither, negative or unsafe. */
function number(field: Uint8Array): number | null {
  const first = field[0] ?? 0;
  if (first < 0x80) {
    const digits = ascii(field)
      .replace(/^ */, '')
      .replace(/[ \0].*$/s, '');
    if (!/^[0-7]*$/.test(digits)) return null;
    return digits === '' ? 0 : Number.parseInt(digits, 8);
  }
  // 0xff starts a negative number.
  if (first !== 0x80) return null;
  let value = 0;
  for (const byte of field.subarray(1)) value = value * 256 + byte;
  return Number.isSafeInteger(value) ? value : null;
}

const ascii = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
