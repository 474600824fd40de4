import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.ts';

const OTHERS = 0o077;

/** What lies in the data directory; whatever else somebody keeps beside it is not ours to change. */
const OURS = ['db', 'registry'];

export interface DataPlace extends Pick<Config, 'dataDirectory' | 'databaseUrl'> {
  readonly registry: Pick<Config['registry'], 'url'>;
}

/**
 * Keeps what this process writes from the machine's other users, and takes away what an earlier one let them see: rows
 * and images of every org lie in the data directory. A directory that cannot be used is refused where it is opened.
 * @param warn is told where the directory is another user's, as a volume that is mounted for a group is, and lets others in
 */
export async function keepPrivate(
  { dataDirectory: directory, databaseUrl, registry }: DataPlace,
  warn: (message: string) => void,
): Promise<void> {
  process.umask(OTHERS);
  const found = await stat(directory).catch(() => null);
  if (found?.isDirectory() !== true || (found.mode & OTHERS) === 0) return;
  // From the outside in: from here on nobody else gets at what is left.
  const isUsed = databaseUrl === null || registry.url === null;
  if (!(await isClosed(directory, 0o700)) && isUsed) {
    warn(
      `DATA_DIR: others may look into ${directory}, which belongs to another user; its files are private`,
    );
  }
  for (const name of OURS) await tighten(join(directory, name));
}

async function tighten(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => null);
  if (entries === null) return;
  await isClosed(path, 0o700);
  for (const entry of entries) {
    const inner = join(path, entry.name);
    if (entry.isDirectory()) await tighten(inner);
    else if (entry.isFile()) await isClosed(inner, 0o600);
  }
}

/** Only its owner may close a file to others; who else may use it goes on with it as it is. */
async function isClosed(path: string, mode: number): Promise<boolean> {
  try {
    await chmod(path, mode);
    return true;
  } catch {
    return false;
  }
}
