import type { Descriptor, Digest, Image, Tag } from '../registry.ts';
import { type Answer, hasCode } from './answer.ts';
import { CallFailed, failed } from './call-failed.ts';
import { within } from './deadline.ts';
import { digestOf, type Manifest } from './manifest.ts';
import { sendBlob } from './push-blob.ts';
import { answered, isSuccess, namesDigest, notStored, type Target } from './push-target.ts';
import { getManifest } from './requests.ts';

/** The registry lacks a blob of the manifest, though it has said that it has it. */
class BlobsLost extends CallFailed {
  constructor() {
    super(failed('REGISTRY_ERROR', true, 'the registry has lost a blob of the image'));
  }
}

/**
 * Stores the manifest of an image whose blobs are there. A registry that remembers blobs which its garbage collection has
 * removed says that they are: once, they are then sent again. Throws `CallFailed`.
 */
export async function putImage(
  target: Target,
  reference: Tag | Digest,
  { descriptor, manifest, blobs }: Image,
): Promise<void> {
  try {
    await putManifest(target, reference, descriptor, manifest);
  } catch (error) {
    if (!(error instanceof BlobsLost)) throw error;
    await Promise.all(blobs.map((blob) => sendBlob(target, blob)));
    await putManifest(target, reference, descriptor, manifest);
  }
}

/**
 * Stores a manifest under a tag, or under its digest alone. Where the answer was lost, or does not name what it stored,
 * the registry is asked whether it has the manifest. Throws `CallFailed`.
 */
async function putManifest(
  target: Target,
  reference: Tag | Digest,
  descriptor: Descriptor,
  manifest: Uint8Array,
): Promise<void> {
  const { digest, mediaType } = descriptor;
  const { client, repository } = target;
  if (digestOf(manifest) !== digest) throw new Error('the manifest does not match its digest');
  try {
    const put = await within(target, (deadline) =>
      client.call(
        {
          operation: 'PUT manifest',
          method: 'PUT',
          url: client.url(`/v2/${repository}/manifests/${reference}`),
          repository,
          actions: 'pull,push',
          headers: { 'content-type': mediaType },
          body: () => manifest,
          changesManifest: true,
          final: (answer) => isSuccess(answer) || lacksBlobs(answer),
          patient: true,
        },
        deadline,
      ),
    );
    if (lacksBlobs(answered(put))) throw new BlobsLost();
    if (!namesDigest(put, digest)) throw notStored();
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    const { failure, inDoubt } = error;
    // A registry whose tags never change refuses to set one again, also to what it is on already.
    const isByRule = failure.reason === 'REGISTRY_ERROR' && !failure.retryable;
    if (!inDoubt && !isByRule) throw error;
    const found = await lookUp(target, reference);
    if (found === 'unknown' && inDoubt) throw new CallFailed({ ...failure, inDoubt }, true);
    if (found === null || found === 'unknown' || found.digest !== digest) throw error;
  }
}

function lacksBlobs(answer: Answer): boolean {
  const isRefusal = answer.status === 400 || answer.status === 404;
  return isRefusal && hasCode(answer, 'MANIFEST_BLOB_UNKNOWN', 'BLOB_UNKNOWN');
}

/** What a tag or digest pulls now; `unknown` where the registry does not say. */
async function lookUp(
  target: Target,
  reference: Tag | Digest,
): Promise<Manifest | null | 'unknown'> {
  const { client, repository } = target;
  try {
    return await within(target, (deadline) =>
      getManifest(client, repository, reference, deadline, { actions: 'pull,push' }),
    );
  } catch (error) {
    if (error instanceof CallFailed) return 'unknown';
    throw error;
  }
}
