import { createReadStream } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { encodeHeader, endMarker, padding } from '../archive/tar-block.ts';
import type { UnpackedImage } from './unpack-image.ts';

export interface FileEdit {
  readonly path: string;
  /** The new content, a file on disk; null: the file goes. */
  readonly content: { readonly path: string; readonly size: number } | null;
}

/** An image as an archive that can be uploaded. */
export function archiveOf(image: UnpackedImage): Readable {
  const tar = editedTar(image, { path: '', content: null });
  // An error of either comes out of what is returned.
  return pipeline(tar, createGzip(), () => undefined);
}

/**
 * An image with one file changed, as the tar in an archive: so the same rules hold for it, and it is built by the same
 * steps. It is not compressed, because the new image is. A file that is new may not be run.
 */
export const editedTar = (image: UnpackedImage, edit: FileEdit): Readable =>
  Readable.from(tarOf(image, edit), { objectMode: false });

async function* tarOf(
  { files, directories, contents }: UnpackedImage,
  { path, content }: FileEdit,
): AsyncGenerator<Uint8Array, void> {
  for (const directory of directories) {
    yield encodeHeader({ path: directory, kind: 'directory', executable: false, size: 0 });
  }
  for (const file of files) {
    if (file.path === path) continue;
    yield encodeHeader({ ...file, kind: 'file' });
    yield* contents.read(file.offset, file.size);
    yield padding(file.size);
  }
  if (content !== null) {
    const executable = files.find((file) => file.path === path)?.executable ?? false;
    yield encodeHeader({ path, kind: 'file', executable, size: content.size });
    yield* createReadStream(content.path);
    yield padding(content.size);
  }
  yield endMarker();
}
