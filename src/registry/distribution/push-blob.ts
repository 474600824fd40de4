import { Readable } from 'node:stream';
import type { Blob, Digest } from '../registry.ts';
import type { Answer } from './answer.ts';
import { CallFailed, failed } from './call-failed.ts';
import { type Deadline, within } from './deadline.ts';
import { ownAddress } from './own-address.ts';
import { answered, confirms, isRefusal, isSuccess, notStored, type Target } from './push-target.ts';
import { patientAttempts, withRetries } from './retry.ts';

/** Sends a blob where it is not there yet. Throws `CallFailed`. */
export async function pushBlob(target: Target, blob: Blob): Promise<void> {
  const head = await within(target, (deadline) =>
    target.client.call(
      {
        ...headOf(target, blob.descriptor.digest),
        // Says nothing but "send it", and sending it twice does no harm: it is not there, HEAD is not allowed, or the
        // account may only write. A redirect leads to a store that the registry keeps its blobs in, where we do not ask.
        final: (answer) => isRefusal(answer) || (answer.status >= 300 && answer.status < 400),
        patient: true,
      },
      deadline,
    ),
  );
  if (answered(head).status !== 200) await sendBlob(target, blob);
}

/** Sends a blob without asking whether it is there. Throws `CallFailed`. */
export async function sendBlob(target: Target, blob: Blob): Promise<void> {
  // An upload that broke cannot be continued reliably: each try begins a new one.
  await within(target, (deadline) =>
    withRetries(deadline, patientAttempts, async () => {
      deadline.extend();
      await upload(target, blob, deadline);
    }),
  );
}

async function upload(target: Target, blob: Blob, deadline: Deadline): Promise<void> {
  const { client, repository } = target;
  const { digest, size } = blob.descriptor;
  const call = { repository, actions: 'pull,push', attempts: 1 };
  const started = await client.call(
    {
      ...call,
      operation: 'POST upload',
      method: 'POST',
      url: client.url(`/v2/${repository}/blobs/uploads/`),
      final: ({ status, headers }) => status === 202 && headers.location !== undefined,
    },
    deadline,
  );
  const url = uploadUrl(answered(started), digest);
  let broken: { readonly error: unknown } | undefined;
  const source = async function* () {
    try {
      yield* moving(blob, deadline);
    } catch (error) {
      broken = { error };
      throw error;
    }
  };
  try {
    const put = await client.call(
      {
        ...call,
        operation: 'PUT blob',
        method: 'PUT',
        url,
        headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
        body: () => Readable.from(source(), { objectMode: false }),
        final: isSuccess,
      },
      deadline,
    );
    if (!confirms(put, digest) && !(await isStored(target, digest, deadline))) throw notStored();
  } catch (error) {
    // Our own file could not be read, which says nothing about the registry.
    if (broken && !deadline.signal.aborted) throw broken.error;
    throw error;
  }
}

/** The blob's bytes; each chunk restarts the upload's time. */
async function* moving(blob: Blob, deadline: Deadline): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of blob.open()) {
    size += chunk.length;
    deadline.extend();
    yield chunk;
  }
  if (size !== blob.descriptor.size)
    throw new Error('the blob is not as long as its descriptor says');
}

async function isStored(target: Target, digest: Digest, deadline: Deadline): Promise<boolean> {
  const head = await target.client.call(
    { ...headOf(target, digest), attempts: 1, final: ({ status }) => status === 404 },
    deadline,
  );
  return answered(head).status === 200;
}

/** The request that asks for a blob without its bytes. */
const headOf = ({ client, repository }: Target, digest: Digest) =>
  ({
    operation: 'HEAD blob',
    method: 'HEAD',
    url: client.url(`/v2/${repository}/blobs/${digest}`),
    repository,
    actions: 'pull,push',
  }) as const;

/** The registry's own query is left as it is, which it may have signed. */
function uploadUrl({ url: asked, headers }: Answer, digest: Digest): URL {
  const url = ownAddress(headers.location, asked);
  if (url === null) {
    throw new CallFailed(
      failed(
        'REGISTRY_ERROR',
        false,
        headers.location
          ? 'the registry wants uploads at an address other than REGISTRY_URL: check its external URL'
          : 'the registry does not say where an upload goes on: has a proxy removed its Location header?',
      ),
    );
  }
  url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(digest)}`;
  return url;
}
