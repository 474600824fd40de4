/** multipart/form-data, read in two steps: first the texts in front of the files, and the files when they are wanted. */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { RequestRefused } from '../request-refused.ts';
import { makeWorkDirectory } from '../work-directory.ts';
import { bodyStream } from './body-stream.ts';
import { LARGEST_BODY_BYTES } from './read-body.ts';
import { SpooledFile } from './spooled-file.ts';

/** Of one part that is no file. */
export const LARGEST_TEXT_BYTES = 32 * 1024;
const MOST_FIELDS = 10;
export const MOST_FILES = 4;
/** Of one part's headers: a disposition, a type and little else. */
const LARGEST_HEADER_BYTES = 8 * 1024;

export interface MultipartOptions {
  /** Names of the parts that are texts, with or without a file name; any other part is a file. */
  readonly texts: ReadonlySet<string>;
  /** Largest file; all parts together may have as much and a body of text besides. */
  readonly maxFileBytes: number;
}

/** A body whose first file, if there is one, has not been read; its files live until it is disposed. */
export interface Multipart extends AsyncDisposable {
  /** All the texts once `files` has settled; those in front of the first file before that. */
  readonly fields: ReadonlyMap<string, string>;
  /**
   * Reads the rest; files go to disk, so memory does not grow with them.
   * @param isWanted by the name of a part
   * @param strays what becomes of a file that nobody wants: it is refused, or only its name is kept
   * @throws RequestRefused where the body is no multipart body, or larger than allowed
   */
  files(
    isWanted: (name: string) => boolean,
    strays: 'refused' | 'named',
  ): Promise<ReadonlyMap<string, SpooledFile>>;
}

/**
 * Reads up to the first file, which stays where it is: with its sender.
 * @throws RequestRefused where the body is no multipart body, or larger than allowed
 */
export async function openMultipart(
  request: Request,
  { texts, maxFileBytes }: MultipartOptions,
): Promise<Multipart> {
  const fields = new Map<string, string>();
  const parts: { readonly name: string; readonly stream: BusboyFileStream }[] = [];
  const firstFile = Promise.withResolvers<void>();
  let take = (name: string, stream: BusboyFileStream): void => void parts.push({ name, stream });
  const parser = createParser(request, texts, maxFileBytes);
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    parser.destroy(error);
  };
  const refuse = (code: 'bad_request' | 'payload_too_large', message: string) =>
    fail(new RequestRefused(code, message));
  parser.on('field', (name: string | undefined, value, _nameTruncated, valueTruncated) => {
    if (name === undefined) refuse('bad_request', 'A part of the multipart body has no name.');
    else if (valueTruncated) refuse('payload_too_large', `The field ${shown(name)} is too large.`);
    // By what busboy puts in place of such bytes: it neither refuses them nor hands them out.
    else if (value.includes('\ufffd')) refuse('bad_request', notUtf8(name));
    else if (fields.has(name)) refuse('bad_request', `The field ${shown(name)} came twice.`);
    else fields.set(name, value);
  });
  parser.on('file', (name: string | undefined, stream) => {
    // Told by the parser's own error as well; one that nobody hears would end the process.
    stream.on('error', () => undefined);
    if (name === undefined) refuse('bad_request', 'A part of the multipart body has no name.');
    else take(name, stream);
    firstFile.resolve();
  });
  const tooMany = () => refuse('bad_request', 'The multipart body has too many parts.');
  parser.on('partsLimit', tooMany).on('filesLimit', tooMany).on('fieldsLimit', tooMany);

  const maxBytes = maxFileBytes + LARGEST_BODY_BYTES;
  const parsed = pipeline(bodyStream(request), upTo(maxBytes), parser).catch((error: unknown) => {
    throw failure ?? (error instanceof RequestRefused ? error : malformed());
  });
  // Handled where it is awaited, below or in `files`; perhaps nothing awaits it any more.
  parsed.catch(() => undefined);
  await Promise.race([firstFile.promise, parsed]);

  let directory: string | null = null;
  const abandoned = new AbortController();
  const dispose = async () => {
    abandoned.abort();
    parser.destroy();
    await parsed.catch(() => undefined);
    if (directory !== null) await rm(directory, { recursive: true, force: true });
  };
  return {
    fields,
    async files(isWanted, strays) {
      const files = new Map<string, SpooledFile>();
      const writes: Promise<void>[] = [];
      const into = await makeWorkDirectory();
      directory = into;
      take = (name, stream) => {
        const isStray = !isWanted(name);
        if ((isStray && strays === 'refused') || files.has(name)) {
          refuse('bad_request', `The file ${shown(name)} is not asked for, or came twice.`);
          return;
        }
        const file = new SpooledFile();
        files.set(name, file);
        if (isStray) {
          stream.resume();
          return;
        }
        const path = join(into, String(writes.length));
        const write = spool(stream, path, maxFileBytes, abandoned.signal).then((size) =>
          file.arrive(path, size),
        );
        write.catch(fail);
        writes.push(write);
      };
      for (const { name, stream } of parts) take(name, stream);
      try {
        await parsed;
        await Promise.all(writes);
        return files;
      } catch (error) {
        // A file whose end never comes, because its sender hung up, would wait for ever.
        abandoned.abort();
        await Promise.allSettled(writes);
        throw error;
      }
    },
    [Symbol.asyncDispose]: dispose,
  };
}

function createParser(request: Request, texts: ReadonlySet<string>, fileSize: number) {
  try {
    return new Busboy({
      headers: { 'content-type': request.headers.get('content-type') ?? '' },
      // By name alone: browsers give every Blob a file name, and a file needs none (RFC 7578, section 4.2).
      isPartAFile: (name) => name === undefined || !texts.has(name),
      limits: {
        fileSize,
        fieldSize: LARGEST_TEXT_BYTES,
        fields: MOST_FIELDS,
        files: MOST_FILES,
        parts: MOST_FIELDS + MOST_FILES,
        headerPairs: 20,
        headerSize: LARGEST_HEADER_BYTES,
      },
    });
  } catch {
    throw malformed();
  }
}

/** Hands on what comes, and no more of it than `maxBytes`: what stands between the parts counts too. */
const upTo = (maxBytes: number) =>
  async function* counted(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    let size = 0;
    for await (const chunk of chunks) {
      size += chunk.byteLength;
      if (size > maxBytes) {
        throw new RequestRefused('payload_too_large', `The body is larger than ${maxBytes} bytes.`);
      }
      yield chunk;
    }
  };

const malformed = () =>
  new RequestRefused('bad_request', 'The body is not complete, well-formed multipart/form-data.');

const notUtf8 = (name: string) =>
  `The field ${shown(name)} is not UTF-8: it has U+FFFD, which stands for bytes that are none.`;

const shown = (name: string): string => JSON.stringify(name.slice(0, 100));

/** Answers the file's size. */
async function spool(
  stream: BusboyFileStream,
  path: string,
  maxFileBytes: number,
  signal: AbortSignal,
): Promise<number> {
  await pipeline(stream, createWriteStream(path), { signal });
  if (stream.truncated) {
    throw new RequestRefused(
      'payload_too_large',
      `The file is larger than ${maxFileBytes} bytes (MAX_ARCHIVE_BYTES).`,
    );
  }
  return stream.bytesRead;
}
