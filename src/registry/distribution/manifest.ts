import { createHash } from 'node:crypto';
import { type Digest, isDigest } from '../registry.ts';
import { type Answer, isRecord } from './answer.ts';
import { CallFailed, failed } from './call-failed.ts';

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

/** Of a draft of the OCI image specification 1.1; oras pushed it, and it has no `schemaVersion`. */
const OCI_ARTIFACT = 'application/vnd.oci.artifact.manifest.v1+json';

/**
 * Sent whole with every manifest request: a registry answers 404 `MANIFEST_UNKNOWN` for a manifest
 * that is there but of none of the types accepted.
 */
export const ACCEPT_MANIFESTS = [
  'application/vnd.oci.image.manifest.v1+json',
  OCI_INDEX,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  OCI_ARTIFACT,
].join(', ');

export interface Manifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** The manifests that an index names; empty for an image. */
  readonly children: readonly Digest[];
  /** What it refers to, as signatures and attestations do. */
  readonly subject: Digest | undefined;
}

export function digestOf(bytes: Uint8Array): Digest {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (!isDigest(digest)) throw new Error('unreachable: a SHA-256 digest is malformed');
  return digest;
}

/** Reads a manifest answer. Its digest is computed, never believed; throws `CallFailed` where it is none. */
export function manifestOf(answer: Answer, expected?: Digest): Manifest {
  if (answer.truncated) {
    throw new CallFailed(failed('REGISTRY_ERROR', false, 'the manifest is larger than 4 MiB'));
  }
  const digest = digestOf(answer.body);
  if (expected !== undefined && digest !== expected) {
    throw new CallFailed(
      failed('REGISTRY_ERROR', true, 'the registry sent a manifest that does not match its digest'),
    );
  }
  const value = jsonOf(answer);
  if (!isManifest(value)) {
    throw new CallFailed(
      failed('REGISTRY_ERROR', true, 'the registry sent something other than a manifest'),
    );
  }
  const mediaType =
    typeof value.mediaType === 'string'
      ? value.mediaType
      : (answer.headers['content-type']?.split(';')[0]?.trim() ?? '');
  return {
    digest,
    mediaType,
    bytes: answer.body,
    children: digestsIn(value.manifests),
    subject: digestsIn([value.subject])[0],
  };
}

/** Whether it has what every manifest has. */
export const isManifest = (value: unknown): value is Record<string, unknown> =>
  isRecord(value) && (typeof value.schemaVersion === 'number' || value.mediaType === OCI_ARTIFACT);

/** The body of an answer as JSON; undefined where it is none. */
export function jsonOf(answer: Answer): unknown {
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The digests of a list of descriptors; what is no descriptor with a SHA-256 digest is skipped. */
export function digestsIn(descriptors: unknown): Digest[] {
  if (!Array.isArray(descriptors)) return [];
  return descriptors.flatMap((descriptor) =>
    isRecord(descriptor) && typeof descriptor.digest === 'string' && isDigest(descriptor.digest)
      ? [descriptor.digest]
      : [],
  );
}
