import { BLOCK } from './tar-header.ts';

/** What a canonical tar says about an entry: nothing that depends on who archived it, when or where. */
export interface CanonicalEntry {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly executable: boolean;
  readonly size: number;
}

// What the fields of a ustar header hold (POSIX `pax`, "ustar Interchange Format").
const LONGEST_NAME = 100;
const LARGEST_OCTAL_SIZE = 0o77777777777;

/**
 * The header of one entry, with a pax header before it where ustar cannot hold the name or the size.
 * Epoch mtime, owner 0:0, no owner names, mode 0644 or 0755.
 */
export function encodeHeader(entry: CanonicalEntry): Uint8Array {
  const name = entry.kind === 'directory' ? `${entry.path}/` : entry.path;
  const mode = entry.kind === 'directory' || entry.executable ? 0o755 : 0o644;
  const type = entry.kind === 'directory' ? '5' : '0';
  const records: string[] = [];
  if (!/^[\x20-\x7e]*$/.test(name) || name.length > LONGEST_NAME) {
    records.push(paxRecord('path', name));
  }
  if (entry.size > LARGEST_OCTAL_SIZE) records.push(paxRecord('size', String(entry.size)));
  const header = block(name, mode, entry.size, type);
  if (records.length === 0) return header;
  const pax = Buffer.from(records.join(''));
  return Buffer.concat([
    block('PaxHeader', 0o644, pax.length, 'x'),
    pax,
    padding(pax.length),
    header,
  ]);
}

/** The zeros that fill up the last block of `size` bytes. */
export const padding = (size: number): Uint8Array =>
  new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);

/** Two zero blocks (POSIX `pax`, "ustar Interchange Format"). */
export const endMarker = (): Uint8Array => new Uint8Array(2 * BLOCK);

function block(name: string, mode: number, size: number, type: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, LONGEST_NAME, 'utf8');
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  // A size that does not fit is in the pax header, which wins.
  header.write(octal(Math.min(size, LARGEST_OCTAL_SIZE), 11), 124);
  header.write(octal(0, 11), 136);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write('ustar\x0000', 257);
  header.write(octal(0, 7), 329);
  header.write(octal(0, 7), 337);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${octal(checksum, 6)}\0 `, 148);
  return header;
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');

/** `<length> <key>=<value>\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (String(length).length > String(bytes).length) length += 1;
  return `${length}${rest}`;
}
