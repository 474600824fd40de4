/** What is in a pack. */
import { z } from '@hono/zod-openapi';
import type { Caller } from '../../identity/caller.ts';
import { packIds } from '../../model/ids.ts';
import type { PackRow } from '../../model/pack-row.ts';
import type { ProblemOf } from '../../outcomes.ts';
import { LONGEST_PATH_BYTES } from '../../packs/contents/layer-entries.ts';
import { contentTypeOf, mediaTypeOf } from '../../packs/contents/media-type.ts';
import { openPackArchive } from '../../packs/contents/open-pack-archive.ts';
import { listPackFiles, openPackFile } from '../../packs/contents/pack-files.ts';
import type { ReadingWorld } from '../../packs/contents/reading-world.ts';
import { findPack } from '../../packs/find-pack.ts';
import { download } from '../download.ts';
import { type Operation, operation } from '../operation.ts';
import { noBody } from '../read-input.ts';
import { archiveETag, fileETag } from './etags.ts';

/** Runs something on a pack that the caller sees. */
async function onPack<Outcome>(
  { database }: ReadingWorld,
  caller: Caller,
  id: string,
  run: (pack: PackRow) => Promise<Outcome>,
): Promise<Outcome | ProblemOf<'not_found'>> {
  const packId = packIds.parse(id);
  const pack = packId === null ? null : await findPack(database, caller, packId);
  return pack === null ? { kind: 'not_found', subject: 'pack', id } : run(pack);
}

const list = operation({
  method: 'get',
  path: '/v1/packs/{id}/files',
  operationId: 'listPackFiles',
  summary: 'The files in a pack, by path.',
  tag: 'Packs',
  needs: null,
  query: z.object({
    under: z
      .string()
      .max(LONGEST_PATH_BYTES)
      .optional()
      .openapi({ description: 'Only files in this directory, at any depth: guides.' }),
  }),
  body: noBody,
  problems: { not_found: true, registry_unavailable: true },
  success: {
    status: 200,
    description: 'All of them.',
    schema: z.object({
      files: z.array(
        z.object({
          path: z.string(),
          size: z.int().openapi({ description: 'In bytes.' }),
          media_type: z.string().openapi({ description: 'By the name.' }),
          executable: z.boolean(),
        }),
      ),
    }),
  },
  run: (world, caller, { id, query: { under } }) =>
    onPack(world, caller, id, (pack) =>
      listPackFiles(world, caller, pack, { under, size: Number.POSITIVE_INFINITY }),
    ),
  // Ten thousand paths at most.
  shareOf: () => 1 / 2,
  present: ({ page }) => ({
    files: page.items.map(({ path, size, executable }) => ({
      path,
      size,
      media_type: mediaTypeOf(path),
      executable,
    })),
  }),
});

const readFile = download({
  path: '/v1/packs/{id}/files/{path}',
  operationId: 'readPackFile',
  summary: 'One file in a pack.',
  description: 'Its bytes, of the media type that its name says.',
  mediaType: 'application/octet-stream',
  fromRegistry: false,
  open: (world, caller, { id, path }) =>
    onPack(world, caller, id, async (pack) => {
      const opened = await openPackFile(world, caller, pack, path);
      if (opened.kind !== 'open_file') return opened;
      const { file, read } = opened;
      return {
        kind: 'download',
        name: file.path.slice(file.path.lastIndexOf('/') + 1),
        contentType: contentTypeOf(file.path),
        size: file.size,
        etag: fileETag(file),
        read,
        [Symbol.dispose]: () => opened[Symbol.dispose](),
      };
    }),
});

const readArchive = download({
  path: '/v1/packs/{id}/archive',
  operationId: 'readPackArchive',
  summary: 'A pack as an archive; uploaded again it gives the same image.',
  description: 'The .tar.gz.',
  mediaType: 'application/gzip',
  fromRegistry: true,
  open: (world, caller, { id }) =>
    onPack(world, caller, id, async (pack) => {
      const opened = await openPackArchive(world, caller, pack);
      if (opened.kind !== 'open_archive') return opened;
      const { size, read } = opened;
      return {
        kind: 'download',
        name: `${opened.pack.name}-${opened.pack.version}.tar.gz`,
        contentType: 'application/gzip',
        size,
        etag: archiveETag(opened.pack),
        read,
        [Symbol.dispose]: () => opened[Symbol.dispose](),
      };
    }),
});

export const fileOperations: readonly Operation[] = [list, readFile, readArchive];
