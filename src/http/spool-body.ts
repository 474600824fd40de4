import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RequestRefused } from '../request-refused.ts';
import { makeWorkDirectory } from '../work-directory.ts';
import { bodyStream } from './body-stream.ts';
import { SpooledFile } from './spooled-file.ts';

/**
 * Writes a request's body to disk as it comes in, so that memory does not grow with it. The file lives until
 * `disposables` end.
 * @throws RequestRefused where it is larger than allowed, or broke off
 */
export async function spoolBody(
  request: Request,
  maxBytes: number,
  disposables: AsyncDisposableStack,
): Promise<SpooledFile> {
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const directory = await makeWorkDirectory();
  disposables.defer(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'body');
  let size = 0;
  async function* counted(chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      yield chunk;
    }
  }
  const source = bodyStream(request);
  let broken = false;
  source.once('error', () => {
    broken = true;
  });
  try {
    await pipeline(source, counted, createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    if (broken && !(error instanceof RequestRefused)) {
      throw new RequestRefused('bad_request', 'The body is not complete.');
    }
    throw error;
  }
  const file = new SpooledFile();
  file.arrive(path, size);
  return file;
}

const tooLarge = (maxBytes: number): RequestRefused =>
  new RequestRefused('payload_too_large', `The body is larger than ${maxBytes} bytes.`);
