import { Readable } from 'node:stream';
import { parseReferences } from '../manifest-references.ts';
import type { Blob, Descriptor, Digest, Registry, Repository, Tag } from '../registry.ts';
import { CallFailed, failed } from './call-failed.ts';
import { Deadline } from './deadline.ts';
import { pushBlob } from './push-blob.ts';
import { putImage } from './push-manifest.ts';
import { isRefusal, type Target } from './push-target.ts';

interface Source {
  readonly repository: Repository;
  readonly registry: Pick<Registry, 'readManifest' | 'readBlob'>;
}

/**
 * Copies a manifest and what it needs, innermost first; blobs of the same registry are mounted (OCI Distribution 1.1,
 * "Mounting a blob from another repository") and are sent only where that is refused. Throws `CallFailed`.
 */
export async function copy(
  source: Source,
  digest: Digest,
  target: Target,
  reference: Tag | Digest,
  isOwn: boolean,
): Promise<'copied' | 'missing'> {
  const read = await source.registry.readManifest(source.repository, digest, target.options);
  if (read.kind === 'failed') throw new CallFailed(read);
  if (read.kind === 'missing') return 'missing';
  const references = parseReferences(read.manifest);
  if (references === undefined) {
    throw new CallFailed(failed('REGISTRY_ERROR', false, 'the source has no image at this digest'));
  }
  for (const child of references.manifests) {
    const copied = await copy(source, child.digest, target, child.digest, isOwn);
    if (copied === 'missing') throw lost();
  }
  const once = new Map(references.blobs.map((descriptor) => [descriptor.digest, descriptor]));
  const blobs = [...once.values()].map((descriptor) => blobOf(source, descriptor, target));
  await Promise.all(
    blobs.map(async (blob) => {
      if (isOwn && (await mount(target, source.repository, blob.descriptor))) return;
      await pushBlob(target, blob);
    }),
  );
  await putImage(target, reference, { ...read, blobs });
  return 'copied';
}

/** Whether the blob is in the repository now without having been sent. */
async function mount(
  { client, repository, patience, options }: Target,
  from: Repository,
  { digest }: Descriptor,
): Promise<boolean> {
  const url = client.url(`/v2/${repository}/blobs/uploads/`);
  url.searchParams.set('mount', digest);
  url.searchParams.set('from', from);
  using deadline = new Deadline(patience, options);
  try {
    const result = await client.call(
      {
        operation: 'POST mount',
        method: 'POST',
        url,
        repository,
        scope: `repository:${repository}:pull,push repository:${from}:pull`,
        patient: true,
        // Whatever it has against mounting, the bytes may be welcome.
        final: (answer) => answer.status === 201 || answer.status === 202 || isRefusal(answer),
      },
      deadline,
    );
    return result.kind === 'answered' && result.answer.status === 201;
  } catch (error) {
    // Whether we may write to the target at all shows when the bytes are sent.
    if (error instanceof CallFailed && error.failure.reason === 'UNAUTHORIZED') return false;
    throw error;
  }
}

function blobOf(
  { registry, repository }: Source,
  descriptor: Descriptor,
  { options }: Target,
): Blob {
  async function* content(): AsyncGenerator<Buffer> {
    const read = await registry.readBlob(repository, descriptor, options);
    if (read.kind === 'failed') throw new CallFailed(read);
    if (read.kind === 'missing') throw lost();
    yield* read.content;
  }
  return { descriptor, open: () => Readable.from(content(), { objectMode: false }) };
}

const lost = () =>
  new CallFailed(failed('REGISTRY_ERROR', true, 'the source lacks a part of the image'));
