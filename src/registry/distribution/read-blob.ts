import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { BlobOutcome, Descriptor, Repository } from '../registry.ts';
import { type Answer, hasCode } from './answer.ts';
import { CallFailed, failed } from './call-failed.ts';
import type { Client } from './client.ts';
import { decoded } from './coding.ts';
import { Deadline } from './deadline.ts';
import { networkFailure } from './network-failure.ts';

/**
 * Streams a blob. The stream errors where the content is longer or shorter than the descriptor says, does not
 * match its digest, or does not move for `patience` milliseconds; a slow reader is given all the time it wants.
 * Throws `CallFailed`.
 */
export async function readBlob(
  client: Client,
  repository: Repository,
  descriptor: Descriptor,
  patience: number,
  signal?: AbortSignal,
): Promise<BlobOutcome> {
  const deadline = new Deadline(patience, signal === undefined ? {} : { signal });
  let streaming = false;
  try {
    const result = await client.call(
      {
        operation: 'GET blob',
        method: 'GET',
        url: client.url(`/v2/${repository}/blobs/${descriptor.digest}`),
        repository,
        actions: 'pull',
        streamed: true,
        mayLeadElsewhere: 'to a store',
        final: saysUnknown,
      },
      deadline,
    );
    if (result.kind === 'gone') return { kind: 'missing' };
    if (result.kind === 'answered' && saysUnknown(result.answer)) return { kind: 'missing' };
    if (result.kind !== 'answered' || !result.content) {
      throw new CallFailed(failed('REGISTRY_ERROR', true, 'the registry does not send the blob'));
    }
    streaming = true;
    const source = asStored(result.content, result.answer.headers, descriptor);
    const content = Readable.from(verified(source, descriptor, deadline), { objectMode: false });
    // Before its first read a generator has nothing to clean up, so the stream does.
    source.on('error', () => {});
    content.once('close', () => {
      source.destroy();
      deadline.end();
    });
    deadline.pause();
    return { kind: 'found', content };
  } finally {
    if (!streaming) deadline.end();
  }
}

/**
 * The bytes that the digest is of. A store may label with a coding what was stored in it (a layer is compressed
 * anyway); a proxy may have compressed what was not. The length tells them apart, or else the kind of the blob.
 */
function asStored(
  body: Readable,
  headers: Answer['headers'],
  { size, mediaType }: Descriptor,
): Readable {
  const length = headers['content-length'];
  const coding = headers['content-encoding']?.toLowerCase().replace(/^x-/, '') ?? 'identity';
  const isStored = length === undefined ? mediaType.endsWith(coding) : Number(length) === size;
  return isStored ? body : decoded(body, headers);
}

async function* verified(
  source: Readable,
  { digest, size }: Descriptor,
  deadline: Deadline,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let received = 0;
  deadline.extend();
  try {
    for await (const chunk of source) {
      received += chunk.length;
      if (received > size) break;
      hash.update(chunk);
      deadline.pause();
      yield chunk;
      deadline.extend();
    }
  } catch (error) {
    throw networkFailure(error, deadline);
  }
  if (received !== size || `sha256:${hash.digest('hex')}` !== digest) {
    throw new CallFailed(
      failed('REGISTRY_ERROR', true, 'the registry sent a blob that does not match its digest'),
    );
  }
}

function saysUnknown(answer: Answer): boolean {
  return answer.status === 404 && hasCode(answer, 'BLOB_UNKNOWN', 'NOT_FOUND');
}
