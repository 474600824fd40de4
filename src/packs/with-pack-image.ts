import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { invalidField } from '../input.ts';
import type { OrgId } from '../model/ids.ts';
import type { ProblemOf } from '../outcomes.ts';
import { makeWorkDirectory } from '../work-directory.ts';
import type { World } from '../world.ts';
import { buildPackImage, type PackImage } from './archive/build-image.ts';
import { readPackArchive, readPackTar } from './archive/read-archive.ts';
import type { PackMetadata } from './pack-metadata.ts';

/** The path of a `.tar.gz`, which stays the caller's to remove; or a tar that is made here. */
export type ArchiveSource = string | { readonly tar: Readable };

/**
 * Reads a pack's archive and builds its image, which is on disk for as long as `publish` takes.
 * @param org whose turn it takes; null: the platform's
 */
export async function withPackImage<Outcome>(
  { config, parserThread }: Pick<World, 'config' | 'parserThread'>,
  org: OrgId | null,
  source: ArchiveSource,
  publish: (metadata: PackMetadata, image: PackImage) => Promise<Outcome>,
): Promise<Outcome | ProblemOf<'validation_failed'>> {
  const workDirectory = await makeWorkDirectory();
  try {
    const { maxArchiveBytes } = config;
    const options = { maxArchiveBytes, parserThread: parserThread.of(org) };
    const read =
      typeof source === 'string'
        ? await readPackArchive(createReadStream(source), options, workDirectory)
        : await readPackTar(source.tar, options, workDirectory);
    if (read.kind === 'invalid') return { kind: 'validation_failed', fields: read.fields };
    if (read.kind === 'too_large') return tooLarge(read.limit);
    const image = await buildPackImage(read.pack, workDirectory);
    // Of an archive it was counted as it came. What is changed here must still be small enough to be uploaded.
    if (typeof source !== 'string' && image.layerBytes > maxArchiveBytes) {
      return tooLarge(maxArchiveBytes);
    }
    return await publish(read.pack.metadata, image);
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

function tooLarge(limit: number): ProblemOf<'validation_failed'> {
  const message = `is larger than ${limit} bytes`;
  return invalidField('archive', message);
}
