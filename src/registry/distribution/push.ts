import { Readable } from 'node:stream';
import type { Blob, CallOptions, Descriptor, Digest, Image, Repository, Tag } from '../registry.ts';
import { type Answer, contentOf } from './answer.ts';
import { CallFailed, failed } from './call-failed.ts';
import type { Client, Result } from './client.ts';
import { Deadline } from './deadline.ts';
import { digestOf, type Manifest } from './manifest.ts';
import { getManifest } from './requests.ts';
import { patientAttempts, withRetries } from './retry.ts';

export interface Target {
  readonly client: Client;
  readonly repository: Repository;
  /** Milliseconds: for each request as a whole, for a blob's upload since it last moved. */
  readonly patience: number;
  readonly options: CallOptions;
}

/** Uploads what is missing (OCI Distribution 1.1, "Pushing a blob monolithically"), then the manifest. Throws `CallFailed`. */
export async function push(target: Target, tag: Tag, image: Image): Promise<void> {
  const blobs = new Map(image.blobs.map((blob) => [blob.descriptor.digest, blob]));
  await Promise.all([...blobs.values()].map((blob) => pushBlob(target, blob)));
  await putManifest(target, tag, image.descriptor, image.manifest);
}

/** Sends a blob where it is not there yet. Throws `CallFailed`. */
export async function pushBlob(target: Target, blob: Blob): Promise<void> {
  const { client, repository } = target;
  const { digest } = blob.descriptor;
  const head = await within(target, (deadline) =>
    client.call(
      {
        operation: 'HEAD blob',
        method: 'HEAD',
        url: client.url(`/v2/${repository}/blobs/${digest}`),
        repository,
        actions: 'pull,push',
        // Says nothing but "send it", and sending it twice does no harm. A redirect leads to a store that the
        // registry keeps its blobs in, where we do not ask.
        final: ({ status }) => status === 404 || (status >= 300 && status < 400),
        patient: true,
      },
      deadline,
    ),
  );
  if (answered(head).status === 200) return;
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
  const url = uploadUrl(client, answered(started).headers.location);
  url.searchParams.set('digest', digest);
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

/**
 * Stores a manifest under a tag, or under its digest alone. Where the answer was lost, or is no registry's, the
 * registry is asked whether it has the manifest. Throws `CallFailed`.
 */
export async function putManifest(
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
          final: isSuccess,
          patient: true,
        },
        deadline,
      ),
    );
    if (!confirms(put, digest)) throw notStored();
  } catch (error) {
    if (!(error instanceof CallFailed) || !error.inDoubt) throw error;
    const found = await lookUp(target, reference);
    if (found === 'unknown') throw new CallFailed({ ...error.failure, inDoubt: true }, true);
    if (found?.digest !== digest) throw error;
  }
}

/** What a tag or digest pulls now; `unknown` where the registry does not say. */
async function lookUp(
  target: Target,
  reference: Tag | Digest,
): Promise<Manifest | null | 'unknown'> {
  const { client, repository } = target;
  try {
    return await within(target, (deadline) =>
      getManifest(client, repository, reference, deadline, 'pull,push'),
    );
  } catch (error) {
    if (error instanceof CallFailed) return 'unknown';
    throw error;
  }
}

async function isStored(
  { client, repository }: Target,
  digest: Digest,
  deadline: Deadline,
): Promise<boolean> {
  const head = await client.call(
    {
      operation: 'HEAD blob',
      method: 'HEAD',
      url: client.url(`/v2/${repository}/blobs/${digest}`),
      repository,
      actions: 'pull,push',
      attempts: 1,
      final: ({ status }) => status === 404,
    },
    deadline,
  );
  return answered(head).status === 200;
}

/**
 * Relative or absolute, perhaps with a query; but our bytes and credentials go to the registry only. Behind a proxy
 * that ends TLS it may believe that it is at `http:`: then they go where everything else goes.
 */
function uploadUrl(client: Client, location: string | undefined): URL {
  const base = client.url('/');
  const url = location && URL.canParse(location, base.href) ? new URL(location, base) : undefined;
  const isBehindTls = base.protocol === 'https:' && url?.protocol === 'http:';
  if (isBehindTls && url.hostname === base.hostname) {
    return new URL(`${url.pathname}${url.search}`, base);
  }
  if (url?.origin !== base.origin) {
    throw new CallFailed(
      failed(
        'REGISTRY_ERROR',
        false,
        'the registry wants uploads at an address other than REGISTRY_URL: check its external URL',
      ),
    );
  }
  return url;
}

const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300;

/** Whether a success is the registry's own: by its digest, else by a body that is none of a page. */
function confirms(result: Result, digest: string): boolean {
  const answer = answered(result);
  const said = answer.headers['docker-content-digest'];
  if (said === undefined) return ['empty', 'json'].includes(contentOf(answer).kind);
  if (said === digest) return true;
  throw new CallFailed(
    failed('REGISTRY_ERROR', true, 'the registry stored something other than what was sent'),
  );
}

const notStored = () =>
  new CallFailed(
    failed(
      'REGISTRY_ERROR',
      true,
      'a page came back instead of a registry answer: is a proxy or a login page in between?',
    ),
    true,
  );

function answered(result: Result) {
  if (result.kind === 'answered') return result.answer;
  throw new CallFailed(
    failed('REGISTRY_ERROR', false, 'the registry has no such repository, and does not create it'),
  );
}

async function within<T>(target: Target, work: (deadline: Deadline) => Promise<T>): Promise<T> {
  const deadline = new Deadline(target.patience, target.options);
  try {
    return await work(deadline);
  } finally {
    deadline.end();
  }
}
