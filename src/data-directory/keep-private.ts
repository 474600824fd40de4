import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const OTHERS = 0o077;

/** What lies in the data directory; whatever else somebody keeps beside it is not ours to change. */
const OURS = ['db', 'registry'];

/**
 * Keeps what this process writes from the machine's other users, and takes away what an earlier one let them see: rows
 * and images of every org lie in the data directory. A directory that cannot be used is refused where it is opened.
 */
export async function keepPrivate(directory: string): Promise<void> {
  process.umask(OTHERS);
  const found = await stat(directory).catch(() => null);
  if (found?.isDirectory() !== true || (found.mode & OTHERS) === 0) return;
  // From the outside in: from here on nobody else gets at what is left.
  await chmod(directory, 0o700);
  for (const name of OURS) await tighten(join(directory, name));
}

async function tighten(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => null);
  if (entries === null) return;
  await chmod(path, 0o700);
  for (const entry of entries) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) await tighten(inner);
    else if (entry.isFile()) await chmod(inner, 0o600);
  }
}
