/**
 * Tags that say which manifest they are about. `sha256-<hex>` is the referrers tag schema of the OCI
 * Distribution specification 1.1, for registries without a referrers API; the suffixes are cosign's.
 */
import { type Digest, isDigest, isTag, type Tag } from './registry.ts';

const SUFFIXES = ['', '.sig', '.att', '.sbom'];
const REFERRER_TAG = /^sha256-([a-f0-9]{64})(.*)$/;

/** The tags that are about a digest. */
export const referrerTags = (digest: Digest): Tag[] =>
  SUFFIXES.map((suffix) => digest.replace(':', '-') + suffix).filter(isTag);

/** The digest that such a tag is about; undefined for every other tag. */
export function subjectOfTag(tag: Tag): Digest | undefined {
  const [, hex = '', suffix = ''] = REFERRER_TAG.exec(tag) ?? [];
  const digest = `sha256:${hex}`;
  return isDigest(digest) && SUFFIXES.includes(suffix) ? digest : undefined;
}
