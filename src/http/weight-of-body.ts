/** What a request's body can come to take of memory, told by its headers, before any of it is read. */
import { isGzipped } from './body-stream.ts';
import { mediaTypeOf } from './media-type.ts';
import { LARGEST_BODY_BYTES } from './read-body.ts';
import { LARGEST_TEXT_BYTES } from './read-multipart.ts';

/** JSON of brackets without anything between them takes 25 times its length once it is parsed (measured, V8 13). */
const PARSED = 25;
/** Of any request. */
const LEAST_BYTES = 16 * 1024;

/** What the bodies of one caller may take together: one that is as large as it can be, and some others. */
export const BODIES_OF_CALLER_BYTES = PARSED * LARGEST_BODY_BYTES + 64 * LEAST_BYTES;

/** Of a text once it has been read. */
export const weightOfText = (bytes: number): number => LEAST_BYTES + PARSED * bytes;

/**
 * Bytes. Files go to disk, and the texts beside them are short.
 * @throws RequestRefused `unsupported_media_type` for an unknown encoding
 */
export function weightOfBody({ headers, method }: Request): number {
  if (method === 'GET' || method === 'HEAD') return LEAST_BYTES;
  const length = isGzipped({ headers }) ? null : headers.get('content-length');
  const bytes = Math.min(Number(length ?? LARGEST_BODY_BYTES), LARGEST_BODY_BYTES);
  const mediaType = mediaTypeOf(headers.get('content-type'));
  if (mediaType === 'multipart/form-data') return weightOfText(LARGEST_TEXT_BYTES);
  const isParsed = /json$|^application\/(?:graphql|x-www-form)/.test(mediaType);
  return isParsed ? weightOfText(bytes) : LEAST_BYTES + bytes;
}
