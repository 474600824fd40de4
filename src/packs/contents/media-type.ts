import { contentType, lookup } from 'mime-types';

const UNKNOWN = 'application/octet-stream';

/** The media type of a file, by its name. */
export const mediaTypeOf = (path: string): string => lookup(extensionOf(path)) || UNKNOWN;

/** The same with the charset where it is text, which packs have in UTF-8. */
export const contentTypeOf = (path: string): string => contentType(extensionOf(path)) || UNKNOWN;

/** Looked up alone: a path may be longer than any, and `constructor` is no extension. */
function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return name.includes('.') ? name.slice(name.lastIndexOf('.')) : '.';
}
