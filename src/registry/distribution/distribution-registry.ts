/**
 * The registry port over HTTP: any registry that speaks the OCI Distribution specification 1.1, or the
 * Docker Registry HTTP API v2 before it.
 */
import {
  type Digest,
  isDigest,
  isRepository,
  isTag,
  type Registry,
  type RegistryFailure,
} from '../registry.ts';
import { CallFailed, failed } from './call-failed.ts';
import { Client, type ClientOptions } from './client.ts';
import { copy } from './copy.ts';
import { within } from './deadline.ts';
import { Peculiarities } from './peculiarities.ts';
import { foreseePurge, purge } from './purge.ts';
import { push } from './push.ts';
import { FirstReads } from './read-ahead.ts';
import { readBlob } from './read-blob.ts';
import { RepositoryView } from './repository-view.ts';
import { getManifest } from './requests.ts';
import { walkImages } from './walk-images.ts';

/** Milliseconds; a readiness probe must not wait as long as a purge may. */
const CHECK_MS = 3_000;

export type DistributionOptions = ClientOptions;

/**
 * Opens no connection yet. `deadlineMs` bounds a purge or the reading of a manifest as a whole, each request of
 * a push, and the time a blob may stand still. Close it to let the process end.
 */
export function createDistributionRegistry(options: DistributionOptions): Registry {
  const client = new Client(options);
  const peculiarities = new Peculiarities();
  const { deadlineMs } = options;

  const registry: Registry = {
    host: options.url.host,

    push: (repository, tag, image, options = {}) =>
      settle(async () => {
        wellFormed(isRepository(repository) && isTag(tag) && isDigest(image.descriptor.digest));
        wellFormed(image.blobs.every(({ descriptor }) => isDigest(descriptor.digest)));
        await push({ client, repository, patience: deadlineMs, options }, tag, image);
        return { kind: 'pushed' as const };
      }),

    readManifest: (repository, reference, options = {}) =>
      settle(async () => {
        wellFormed(isRepository(repository) && (isTag(reference) || isDigest(reference)));
        const manifest = await within({ patience: deadlineMs, options }, (deadline) =>
          getManifest(client, repository, reference, deadline, {
            mayLeadElsewhere: 'to a named host',
          }),
        );
        if (manifest === null) return { kind: 'missing' as const };
        const { mediaType, digest, bytes } = manifest;
        const descriptor = { mediaType, digest, size: bytes.length };
        return { kind: 'found' as const, descriptor, manifest: bytes };
      }),

    readBlob: (repository, descriptor, { signal } = {}) =>
      settle(async () => {
        wellFormed(isRepository(repository) && isDigest(descriptor.digest));
        return readBlob(client, repository, descriptor, deadlineMs, signal);
      }),

    copyImage: (from, digest, to, tag, options = {}) =>
      settle(async () => {
        wellFormed(isRepository(from.repository) && isDigest(digest));
        wellFormed(isRepository(to) && isTag(tag));
        const source = { repository: from.repository, registry: from.registry ?? registry };
        const target = { client, repository: to, patience: deadlineMs, options };
        const isOwn = from.registry === undefined;
        return { kind: await copy(source, digest, target, tag, isOwn) };
      }),

    readAhead: (repository, digest, tag) =>
      isRepository(repository) && isDigest(digest) && isTag(tag)
        ? new FirstReads(client, peculiarities, { repository, digest, tag, deadlineMs })
        : undefined,

    purge: (repository, digest, { held = new Set<Digest>(), ahead, ...options } = {}) =>
      settle(async () => {
        wellFormed(isRepository(repository) && isDigest(digest));
        const isFresh = ahead instanceof FirstReads && ahead.isOf(repository, digest);
        const reads = isFresh ? ahead : undefined;
        return within({ patience: deadlineMs, options }, (deadline) => {
          const image = { repository, subject: digest };
          const view = new RepositoryView(client, peculiarities, image, deadline, reads);
          return purge({ client, peculiarities, repository, deadline }, view, digest, held);
        });
      }),

    foreseePurge: (repository, digest, { held = new Set<Digest>(), ...options } = {}) =>
      settle(async () => {
        wellFormed(isRepository(repository) && isDigest(digest));
        return within({ patience: deadlineMs, options }, (deadline) =>
          foreseePurge(client, peculiarities, repository, digest, held, deadline),
        );
      }),

    walkImages: (namespace, visit, options = {}) =>
      settle(async () => {
        wellFormed(isRepository(namespace));
        await walkImages(client, namespace, deadlineMs, visit, options);
        return { kind: 'walked' as const };
      }),

    check: (options = {}) =>
      settle(async () => {
        const base = { operation: 'GET base', method: 'GET', repository: '' } as const;
        const call = { ...base, attempts: 1, needsCredentials: true } as const;
        const result = await within(
          { patience: Math.min(deadlineMs, CHECK_MS), options },
          (deadline) => client.call({ ...call, url: client.url('/v2/') }, deadline),
        );
        if (result.kind === 'answered') return { kind: 'ok' as const };
        return failed('REGISTRY_ERROR', true, 'the registry does not answer at /v2/');
      }),

    close: () => client.close(),
  };
  return registry;
}

/** Where failures thrown inside the adapter become outcomes; anything else is a bug and is thrown on. */
async function settle<T>(work: () => Promise<T>): Promise<T | RegistryFailure> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CallFailed) return error.failure;
    throw error;
  }
}

/** The types promise it; but a digest from a database row goes into a URL here. */
function wellFormed(condition: boolean): void {
  if (condition) return;
  throw new CallFailed(
    failed('REGISTRY_ERROR', false, 'the repository name, tag or digest is malformed'),
  );
}
