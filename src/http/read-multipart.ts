import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import { RequestRefused } from '../request-refused.ts';
import { makeWorkDirectory } from '../work-directory.ts';
import { SpooledFile } from './spooled-file.ts';

/** The parts of a multipart/form-data body; its files live until it is disposed. */
export interface Multipart extends AsyncDisposable {
  readonly fields: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, SpooledFile>;
}

const MOST_FIELDS = 10;
const MOST_FILES = 4;
const LARGEST_FIELD_BYTES = 1024 ** 2;

/**
 * Reads a multipart body as it comes in: files go to disk, so memory does not grow with them.
 * @throws RequestRefused where the body is no multipart body, or larger than allowed
 */
export async function readMultipart(
  body: Readable,
  contentType: string,
  { maxFileBytes }: { readonly maxFileBytes: number },
): Promise<Multipart> {
  const directory = await makeWorkDirectory();
  const dispose = () => rm(directory, { recursive: true, force: true });
  const fields = new Map<string, string>();
  const files = new Map<string, SpooledFile>();
  const writes: Promise<void>[] = [];
  // A file whose end never comes, because its sender hung up, is told from here: its stream would wait for ever.
  const abandoned = new AbortController();
  let unwritten: Error | undefined;
  try {
    const parser = createParser(contentType, maxFileBytes);
    const refuse = (code: 'bad_request' | 'payload_too_large', message: string) =>
      parser.destroy(new RequestRefused(code, message));
    parser.on('field', (name, value, _nameTruncated, valueTruncated) => {
      if (valueTruncated) {
        refuse('payload_too_large', `The field ${JSON.stringify(name)} is too large.`);
      } else fields.set(name, value);
    });
    parser.on('file', (name, stream) => {
      const path = join(directory, String(writes.length));
      const write = spool(stream, path, maxFileBytes, abandoned.signal).then(
        (file) => void files.set(name, file),
      );
      // Reported by the `await` below; without a handler of its own it would end the process before that.
      write.catch((error: Error) => {
        unwritten ??= error;
        parser.destroy(error);
      });
      writes.push(write);
    });
    const tooMany = () => refuse('bad_request', 'The multipart body has too many parts.');
    parser.on('partsLimit', tooMany);
    parser.on('filesLimit', tooMany);
    parser.on('fieldsLimit', tooMany);
    await pipeline(body, parser).catch((error: unknown) => {
      throw error instanceof RequestRefused || error === unwritten ? error : malformed();
    });
    await Promise.all(writes);
    return { fields, files, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    abandoned.abort();
    await Promise.allSettled(writes);
    await dispose();
    throw error;
  }
}

function createParser(contentType: string, fileSize: number) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: {
        fileSize,
        fieldSize: LARGEST_FIELD_BYTES,
        fields: MOST_FIELDS,
        files: MOST_FILES,
        headerPairs: 20,
      },
    });
  } catch {
    throw malformed();
  }
}

const malformed = () =>
  new RequestRefused('bad_request', 'The body is not complete, well-formed multipart/form-data.');

async function spool(
  stream: BusboyFileStream,
  path: string,
  maxFileBytes: number,
  signal: AbortSignal,
): Promise<SpooledFile> {
  await pipeline(stream, createWriteStream(path), { signal });
  if (stream.truncated) {
    throw new RequestRefused(
      'payload_too_large',
      `The file is larger than ${maxFileBytes} bytes (MAX_ARCHIVE_BYTES).`,
    );
  }
  return new SpooledFile(path, stream.bytesRead);
}
