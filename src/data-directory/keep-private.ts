import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const OTHERS = 0o077;

/**
 * Keeps what this process writes from the machine's other users, and takes away what an earlier one let them see: rows
 * and images of every org lie in the data directory.
 */
export async function keepPrivate(directory: string): Promise<void> {
  process.umask(OTHERS);
  const { mode } = await stat(directory).catch(() => ({ mode: 0 }));
  if ((mode & OTHERS) === 0) return;
  // From the outside in: from here on nobody else gets at what is left.
  await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) await chmod(path, 0o700);
    else if (entry.isFile()) await chmod(path, 0o600);
  }
}
