/**
 * Tags that say which manifest they are about. `sha256-<hex>` is the referrers tag schema of the OCI
 * Distribution specification 1.1, for registries without a referrers API; the suffixes are cosign's.
 */
import { type Digest, isDigest, type Tag } from '../registry.ts';

const REFERRER_TAG = /^sha256-([a-f0-9]{64})(?:\.(?:sig|att|sbom))?$/;

/** The digest that such a tag is about; undefined for every other tag. */
export function subjectOfTag(tag: Tag): Digest | undefined {
  const digest = `sha256:${REFERRER_TAG.exec(tag)?.[1] ?? ''}`;
  return isDigest(digest) ? digest : undefined;
}
