import { describedPack } from '../../model/pack-row.ts';
import { mediaTypeOf } from '../../packs/contents/media-type.ts';
import {
  findPackFile,
  LONGEST_TEXT_BYTES,
  listPackFiles,
  readFileText,
} from '../../packs/contents/pack-files.ts';
import { DEFAULT_PAGE_SIZE, pageRequest } from '../../page.ts';
import { RequestRefused } from '../../request-refused.ts';
import { builder } from '../builder.ts';
import { forwardArguments, toConnectionBy } from '../connection.ts';
import { countedText, readsImage, upTo } from '../limits/price.ts';
import { problemError } from '../problems/problem-error.ts';
import { Pack, PackFile, PackFileConnection } from '../refs.ts';

PackFile.implement({
  description: 'A regular file of a pack.',
  fields: (t) => ({
    path: t.exposeString('path', {
      ...countedText(),
      description: 'Inside the pack: `guides/first-steps.md`.',
    }),
    size: t.expose('size', { type: 'Long', description: 'In bytes.' }),
    mediaType: t.string({
      ...upTo(130),
      description: 'By the name: `text/markdown`.',
      resolve: ({ path }) => mediaTypeOf(path),
    }),
    executable: t.exposeBoolean('executable', { description: 'Whether its owner may run it.' }),
    text: t.string({
      ...countedText(LONGEST_TEXT_BYTES),
      nullable: true,
      description: `Its text, up to ${LONGEST_TEXT_BYTES / 1024} KiB of UTF-8; null where it is longer or is not text: then GET it (REST).`,
      resolve: async (file, _args, { world, caller, loaders }) => {
        const outcome = await loaders.allowance.read('whole', () =>
          readFileText(world, caller, file),
        );
        if (outcome.kind !== 'text') throw await problemError(world, caller, outcome);
        return outcome.text;
      },
    }),
  }),
});

builder.objectFields(Pack, (t) => ({
  files: t.field({
    ...readsImage(),
    type: PackFileConnection,
    nullable: true,
    description:
      'The files in its image, by path; null, with an error that says why, while they cannot be read.',
    args: {
      ...forwardArguments(t, DEFAULT_PAGE_SIZE),
      under: t.arg.string({ description: 'Only files in this directory, at any depth: `guides`.' }),
    },
    resolve: async (pack, { first, after, under }, { world, caller, loaders }) => {
      const { size } = pageRequest({ first });
      const place = after == null ? null : placeOf(after);
      const outcome = await loaders.allowance.read('whole', () =>
        listPackFiles(world, caller, describedPack(pack), { under, after: place, size }),
      );
      if (outcome.kind !== 'files') throw await problemError(world, caller, outcome);
      const { page, total } = outcome;
      return toConnectionBy(
        async () => page,
        async () => total,
        ({ path }) => cursorOf(path),
      );
    },
  }),
  file: t.field({
    ...readsImage(),
    type: PackFile,
    nullable: true,
    description: 'One file in its image; null where it has none of this path.',
    args: { path: t.arg.string({ required: true, description: '`guides/first-steps.md`' }) },
    resolve: async (pack, { path }, { world, caller, loaders }) => {
      const outcome = await loaders.allowance.read('whole', () =>
        findPackFile(world, caller, describedPack(pack), path),
      );
      if (outcome.kind === 'file') return outcome.file;
      if (outcome.kind === 'not_found') return null;
      throw await problemError(world, caller, outcome);
    },
  }),
}));

/** More than the longest path of a file makes. */
const LONGEST_CURSOR = 8 * 1024;

const cursorOf = (path: string): string => Buffer.from(path).toString('base64url');

function placeOf(cursor: string): string {
  if (cursor.length <= LONGEST_CURSOR) {
    const path = Buffer.from(cursor, 'base64url').toString();
    if (cursorOf(path) === cursor) return path;
  }
  throw new RequestRefused('bad_request', '"after" is not a cursor: use endCursor of a page.');
}
