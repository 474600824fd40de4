import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Puts a synced file in its place; afterwards the new name survives a loss of power as well. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** A rename is on disk only when its directory is. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
