import { gzipSync } from 'node:zlib';

/** A good pack as .tar.gz: small, or with further files. */
export function packArchive(name: string, further: Readonly<Record<string, Buffer>> = {}): Buffer {
  const files = {
    'pack.yaml': Buffer.from(`name: ${name}\nversion: 1.0.0\ndescription: A pack to delete.\n`),
    'behavior.md': Buffer.from('# Behave\n'),
    ...further,
  };
  const entries = Object.entries(files).flatMap(([path, content]) => [
    header(path, content.length),
    content,
    Buffer.alloc((512 - (content.length % 512)) % 512),
  ]);
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]), { level: 1 });
}

/** A ustar header of a file. */
function header(path: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, digits: number) =>
    block.write(value.toString(8).padStart(digits, '0'), at);
  block.write(path);
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(0, 136, 11);
  block.write('0', 156);
  block.write('ustar\x0000', 257, 'latin1');
  // The sum counts its own field as spaces.
  block.fill(' ', 148, 156);
  octal(
    block.reduce((total, byte) => total + byte, 0),
    148,
    6,
  );
  block.write('\0 ', 154, 'latin1');
  return block;
}
