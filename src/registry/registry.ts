/**
 * The registry port: everything the domain needs from an OCI registry, and nothing of how it is spoken to.
 *
 * Every method answers with an outcome. Retries, deadlines, credentials and the reading of hostile answers
 * live inside the adapters (`distribution/` over HTTP, `layout/` on disk).
 */
import type { Readable } from 'node:stream';

declare const brand: unique symbol;

/** A content digest as the OCI image specification writes it: `sha256:` and 64 lower-case hex characters. */
export type Digest = `sha256:${string}` & { readonly [brand]: 'Digest' };

/** A repository name without host and tag, for example `packs/acme/triage`. */
export type Repository = string & { readonly [brand]: 'Repository' };

/** A tag of a repository. */
export type Tag = string & { readonly [brand]: 'Tag' };

const DIGEST = /^sha256:[a-f0-9]{64}$/;
// OCI Distribution specification 1.1, "Pulling manifests": the grammars of <name> and of <reference> as a tag.
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

export const isDigest = (value: string): value is Digest => DIGEST.test(value);
export const isRepository = (value: string): value is Repository =>
  value.length <= 255 && REPOSITORY.test(value);
export const isTag = (value: string): value is Tag => TAG.test(value);

/** Points at a manifest or a blob (OCI image specification, "Content Descriptors"). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** One blob of an image that is about to be pushed; `open` may be called again for a retry. */
export interface Blob {
  readonly descriptor: Descriptor;
  readonly open: () => Readable;
}

/** An image ready to be pushed: the manifest's exact bytes and the blobs it names. */
export interface Image {
  readonly manifest: Uint8Array;
  readonly descriptor: Descriptor;
  readonly blobs: readonly Blob[];
}

/** Why a registry could not do what was asked; the closed set of the contract. */
export const registryFailureReasons = [
  'UNREACHABLE',
  'TIMEOUT',
  'UNAUTHORIZED',
  'DELETE_UNSUPPORTED',
  'RATE_LIMITED',
  'REGISTRY_ERROR',
] as const;
export type RegistryFailureReason = (typeof registryFailureReasons)[number];

/** A failure as the caller may see it: `detail` is our own sentence, never text from the registry. */
export interface RegistryFailure {
  readonly kind: 'failed';
  readonly reason: RegistryFailureReason;
  /** Whether trying again later can help without anyone changing the registry or the credentials. */
  readonly retryable: boolean;
  /** Seconds, where the registry asked for a pause. */
  readonly retryAfterSeconds?: number;
  /** The registry as a whole is in trouble (5xx), not just this image; the circuit breaker counts these. */
  readonly outage?: true;
  /** What was sent may have been stored: the answer was lost, and a second look did not tell. */
  readonly inDoubt?: true;
  readonly detail: string;
}

export type PushOutcome = { readonly kind: 'pushed' } | RegistryFailure;

/**
 * `already_gone` is said only on the registry's own word; `retained_shared`, where the image is needed by what is
 * not going: a digest of `held`, or an index that somebody else tagged. Nothing was removed then.
 */
export type PurgeOutcome =
  | {
      readonly kind: 'purged' | 'already_gone';
      /** Tags that the registry keeps and that nobody can remove: the same content, uploaded again, is what they pull. */
      readonly remainingTags?: readonly Tag[];
    }
  | { readonly kind: 'retained_shared' }
  | RegistryFailure;

/** What a purge would do now. */
export type ForeseenOutcome =
  | { readonly kind: 'purged' | 'already_gone' | 'retained_shared' }
  | RegistryFailure;

export type ManifestOutcome =
  | { readonly kind: 'found'; readonly descriptor: Descriptor; readonly manifest: Uint8Array }
  | { readonly kind: 'missing' }
  | RegistryFailure;

export type BlobOutcome =
  | { readonly kind: 'found'; readonly content: Readable }
  | { readonly kind: 'missing' }
  | RegistryFailure;

/** One manifest of a repository, with the tags on it. */
export interface StoredImage {
  readonly repository: Repository;
  readonly digest: Digest;
  readonly tags: readonly Tag[];
}

/** Where an image is copied from. */
export interface ImageSource {
  readonly repository: Repository;
  /** Left out: the registry that copies. */
  readonly registry?: Pick<Registry, 'readManifest' | 'readBlob'>;
}

/** `missing`: the source has no such manifest; nothing was tagged. */
export type CopyOutcome = { readonly kind: 'copied' | 'missing' } | RegistryFailure;

/** Called with every repository of a namespace, several at once, and all of its images. What it throws ends the walk. */
export type RepositoryVisit = (
  repository: Repository,
  images: readonly StoredImage[],
) => Promise<void>;

export interface WalkOptions extends CallOptions {
  /** Leaves out the repositories up to this one, in the registry's own order. */
  readonly after?: Repository;
  /** Told of a repository once it and all before it have been visited: where a later walk can go on. */
  readonly reached?: (repository: Repository) => void;
}

/** `open`: calls fail at once, without the registry being asked; `half_open`: one call is trying. */
export const circuitStates = ['closed', 'half_open', 'open'] as const;
export type CircuitState = (typeof circuitStates)[number];

export interface CallOptions {
  /** Ends the call early with reason `TIMEOUT`; the adapter's own deadline holds as well. */
  readonly signal?: AbortSignal;
  /**
   * Asked right before each request that changes a manifest or a tag; false ends the call with reason `TIMEOUT`.
   * A process that was paused cannot know from a timer that its right to write has lapsed.
   */
  readonly mayWrite?: () => boolean;
}

export interface PurgeOptions extends CallOptions {
  /** Digests in the same repository that other packs point at: neither they nor what they need may go. */
  readonly held?: ReadonlySet<Digest>;
  /** What `readAhead` answered. */
  readonly ahead?: ReadAhead | undefined;
}

/** Reads that are under way for a purge; to be disposed, whether there was one or not. */
export type ReadAhead = Disposable;

/** One call to the registry, for the log and the metrics. */
export interface RegistryCall {
  /** For example `HEAD manifest`, `DELETE manifest`, `PUT blob`. */
  readonly operation: string;
  readonly repository: string;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  readonly outcome: 'ok' | 'missing' | RegistryFailureReason;
  readonly milliseconds: number;
}

/** The failure that a stream of `readBlob` broke with; null where an error is none of the registry's. */
export function failureBehind(error: unknown): RegistryFailure | null {
  if (!(error instanceof Error) || !('failure' in error)) return null;
  const { failure } = error;
  const isFailure = typeof failure === 'object' && failure !== null && 'kind' in failure;
  // Both adapters throw errors that carry exactly this, and nothing else in a stream of theirs has the property.
  return isFailure && failure.kind === 'failed' ? (failure as RegistryFailure) : null;
}

export interface Registry {
  /** `host[:port]` that image references of this registry start with; the embedded layout has none. */
  readonly host: string | null;

  /** Uploads the blobs that are not there yet, then the manifest, then sets the tag. */
  push(repository: Repository, tag: Tag, image: Image, options?: CallOptions): Promise<PushOutcome>;

  /** Reads a manifest by tag or digest; at most 4 MiB, verified against its digest. */
  readManifest(
    repository: Repository,
    reference: Tag | Digest,
    options?: CallOptions,
  ): Promise<ManifestOutcome>;

  /** Streams a blob, verified against its digest: the stream errors at its end if it does not match (`failureBehind`). */
  readBlob(
    repository: Repository,
    descriptor: Descriptor,
    options?: CallOptions,
  ): Promise<BlobOutcome>;

  /**
   * Puts a manifest, with all that it needs, into another repository under the same digest and sets the tag.
   * The copy stands by itself: the source may be purged afterwards. What refers to it is not copied.
   */
  copyImage(
    from: ImageSource,
    digest: Digest,
    to: Repository,
    tag: Tag,
    options?: CallOptions,
  ): Promise<CopyOutcome>;

  /**
   * Removes the manifest with every tag on it and everything that refers to it (signatures, attestations);
   * children of an index only when neither another manifest of the repository nor `held` needs them. Keeps the
   * manifest where `held` or a tagged index of the repository needs it. Repeating it is safe: what is gone stays gone.
   */
  purge(repository: Repository, digest: Digest, options?: PurgeOptions): Promise<PurgeOutcome>;

  /**
   * Begins to read what a purge of this manifest looks at first, while the right to purge is still being taken. Changes
   * nothing, and what fails is read again. Left out by registries that take no time to answer.
   * @param tag the one that the manifest was pushed with
   */
  readonly readAhead?: (repository: Repository, digest: Digest, tag: Tag) => ReadAhead | undefined;

  /** What `purge` would do now, by the same decision; changes nothing. */
  foreseePurge(
    repository: Repository,
    digest: Digest,
    options?: PurgeOptions,
  ): Promise<ForeseenOutcome>;

  /**
   * Visits the repositories under a namespace with their images, for the consistency check: slow on large registries, but
   * no more images are held than are being visited. Distribution has no way to list manifests without a tag: those
   * are missing.
   */
  walkImages(
    namespace: string,
    visit: RepositoryVisit,
    options?: WalkOptions,
  ): Promise<{ readonly kind: 'walked' } | RegistryFailure>;

  /** The state of the circuit breaker, where the adapter has one. */
  readonly circuit?: () => CircuitState;

  /** Whether the registry answers and accepts our credentials, for `/readyz`. */
  check(options?: CallOptions): Promise<{ readonly kind: 'ok' } | RegistryFailure>;

  close(): Promise<void>;
}
