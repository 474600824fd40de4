import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { ProblemOf } from '../outcomes.ts';
import { makeWorkDirectory } from '../work-directory.ts';
import type { World } from '../world.ts';
import { buildPackImage, type PackImage } from './archive/build-image.ts';
import { readPackArchive } from './archive/read-archive.ts';
import type { PackMetadata } from './pack-metadata.ts';

/**
 * Reads a pack's archive and builds its image, which is on disk for as long as `publish` takes.
 * @param archive the `.tar.gz`, or its path, which stays the caller's to remove
 */
export async function withPackImage<Outcome>(
  { config, parserThread }: Pick<World, 'config' | 'parserThread'>,
  archive: string | Readable,
  publish: (metadata: PackMetadata, image: PackImage) => Promise<Outcome>,
): Promise<Outcome | ProblemOf<'validation_failed'>> {
  const workDirectory = await makeWorkDirectory();
  try {
    const { maxArchiveBytes } = config;
    const read = await readPackArchive(
      typeof archive === 'string' ? createReadStream(archive) : archive,
      { maxArchiveBytes, parserThread },
      workDirectory,
    );
    if (read.kind === 'invalid') return { kind: 'validation_failed', fields: read.fields };
    if (read.kind === 'too_large') {
      const message = `is larger than ${read.limit} bytes`;
      return { kind: 'validation_failed', fields: [{ path: 'archive', message }] };
    }
    return await publish(read.pack.metadata, await buildPackImage(read.pack, workDirectory));
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}
