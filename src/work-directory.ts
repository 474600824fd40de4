/** Where uploads are unpacked: a directory each, of which a process that is killed leaves some behind. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'pack-gateway-work-';
/** No upload takes so long; other processes share the place. */
const ABANDONED_AFTER_MS = 24 * 60 * 60_000;

/** Makes an empty directory, which is the caller's to remove. */
export const makeWorkDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), PREFIX));

/** Removes what killed processes left; what cannot be removed stays. */
export async function sweepWorkDirectories(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(PREFIX))) {
    const path = join(tmpdir(), name);
    // Gone, or somebody else's.
    await removeWhereAbandoned(path).catch(() => undefined);
  }
}

async function removeWhereAbandoned(path: string): Promise<void> {
  const { mtimeMs } = await stat(path);
  if (Date.now() - mtimeMs > ABANDONED_AFTER_MS) await rm(path, { recursive: true, force: true });
}
