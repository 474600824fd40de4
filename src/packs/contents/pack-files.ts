import type { Caller } from '../../identity/caller.ts';
import type { DescribedPack } from '../../model/pack-row.ts';
import type { ProblemOf } from '../../outcomes.ts';
import type { Page } from '../../page.ts';
import { readEntryPath } from '../archive/entry-path.ts';
import type { ImageFile } from './image-tree.ts';
import { openContents } from './open-contents.ts';
import type { ReadingWorld } from './reading-world.ts';

/** A file of a pack, as a list of them names it. */
export interface PackFile extends Omit<ImageFile, 'offset'> {
  readonly pack: DescribedPack;
}

/** Longest file that is answered as text; longer ones are downloaded. */
export const LONGEST_TEXT_BYTES = 256 * 1024;

export interface FilesRequest {
  /** Only files in this directory, at any depth. */
  readonly under?: string | null | undefined;
  /** Only files whose path comes after this one. */
  readonly after?: string | null | undefined;
  readonly size: number;
}

export type ListPackFilesOutcome =
  | { readonly kind: 'files'; readonly page: Page<PackFile>; readonly total: number }
  | ProblemOf<'registry_unavailable'>;

/** The files of a pack that the caller sees, by path. */
export async function listPackFiles(
  world: ReadingWorld,
  caller: Caller,
  pack: DescribedPack,
  { under, after, size }: FilesRequest,
): Promise<ListPackFilesOutcome> {
  using contents = await openedOrProblem(world, caller, pack);
  if (contents.kind !== 'in_use') return contents.problem;
  const all = filesUnder(contents.image.files, (under ?? '').replace(/\/+$/, ''));
  const place = after ?? null;
  const start = place === null ? 0 : all.findIndex(({ path }) => path > place);
  const items = start === -1 ? [] : all.slice(start, start + size);
  return {
    kind: 'files',
    page: {
      items: items.map((file) => ({ ...file, pack })),
      hasNext: start !== -1 && start + size < all.length,
      hasPrevious: place !== null,
    },
    total: all.length,
  };
}

/** One file of a pack that the caller sees. */
export async function findPackFile(
  world: ReadingWorld,
  caller: Caller,
  pack: DescribedPack,
  path: string,
): Promise<
  | { readonly kind: 'file'; readonly file: PackFile }
  | ProblemOf<'not_found' | 'registry_unavailable'>
> {
  using contents = await openedOrProblem(world, caller, pack);
  if (contents.kind !== 'in_use') return contents.problem;
  const file = fileAt(contents.image.files, path);
  return file === undefined ? noSuchFile(path) : { kind: 'file', file: { ...file, pack } };
}

/** The text of a file; null where it is too long, or no UTF-8 text. */
export async function readFileText(
  world: ReadingWorld,
  caller: Caller,
  { pack, path, size }: PackFile,
): Promise<
  { readonly kind: 'text'; readonly text: string | null } | ProblemOf<'registry_unavailable'>
> {
  if (size > LONGEST_TEXT_BYTES) return { kind: 'text', text: null };
  using contents = await openedOrProblem(world, caller, pack);
  if (contents.kind !== 'in_use') return contents.problem;
  const { image } = contents;
  const file = fileAt(image.files, path);
  if (file === undefined || file.size > LONGEST_TEXT_BYTES) return { kind: 'text', text: null };
  const pieces: Uint8Array[] = [];
  for await (const piece of image.contents.read(file.offset, file.size)) pieces.push(piece);
  return { kind: 'text', text: textOf(Buffer.concat(pieces)) };
}

/** What is given to read, until it is disposed: the bytes of one file. */
export interface OpenFile extends Disposable {
  readonly kind: 'open_file';
  readonly file: PackFile;
  readonly read: () => AsyncIterable<Uint8Array>;
}

/** Opens a file of a pack that the caller sees, to be streamed. */
export async function openPackFile(
  world: ReadingWorld,
  caller: Caller,
  pack: DescribedPack,
  path: string,
): Promise<OpenFile | ProblemOf<'not_found' | 'registry_unavailable'>> {
  const contents = await openContents(world, caller, pack);
  if (contents.kind !== 'in_use') return contents;
  const { image } = contents;
  const file = fileAt(image.files, path);
  if (file === undefined) {
    contents[Symbol.dispose]();
    return noSuchFile(path);
  }
  return {
    kind: 'open_file',
    file: { ...file, pack },
    read: () => image.contents.read(file.offset, file.size),
    [Symbol.dispose]: () => contents[Symbol.dispose](),
  };
}

/** By the path as it is asked for, since the image of another tool may have any; else as archives have it. */
function fileAt(files: readonly ImageFile[], path: string): ImageFile | undefined {
  const at = (asked: string | null) => files.find((one) => one.path === asked);
  return at(path) ?? (path.endsWith('/') ? undefined : at(asInArchives(path)));
}

/** Those in a directory, named likewise; of an empty name all. */
function filesUnder(files: readonly ImageFile[], directory: string): readonly ImageFile[] {
  const under = (asked: string) =>
    asked === '' ? files : files.filter(({ path }) => path.startsWith(`${asked}/`));
  const exactly = under(directory);
  const asArchived = exactly.length > 0 ? null : asInArchives(directory);
  return asArchived === null ? exactly : under(asArchived);
}

/** The path that an archive's entry of this name would have; null: none. */
function asInArchives(name: string): string | null {
  const read = readEntryPath(Buffer.from(name));
  return read.kind === 'path' ? read.segments.join('/') : null;
}

export const noSuchFile = (path: string): ProblemOf<'not_found'> => ({
  kind: 'not_found',
  subject: 'pack_file',
  id: path,
});

/** `using` wants something to dispose in either case. */
async function openedOrProblem(world: ReadingWorld, caller: Caller, pack: DescribedPack) {
  const contents = await openContents(world, caller, pack);
  return contents.kind === 'in_use'
    ? contents
    : { kind: 'problem' as const, problem: contents, [Symbol.dispose]: () => undefined };
}

function textOf(bytes: Uint8Array): string | null {
  // UTF-8 has it, text has not.
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
