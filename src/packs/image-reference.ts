import { parseHost } from '../registry/host.ts';
import {
  type Digest,
  isDigest,
  isRepository,
  isTag,
  type Repository,
  type Tag,
} from '../registry/registry.ts';

/** An image reference, taken apart: `[host[:port]/]repository(:tag|@digest)`. */
export interface ImageReference {
  /** Null where the reference names none, which means the configured registry. */
  readonly host: string | null;
  readonly repository: Repository;
  /** The digest, where tag and digest are both given. */
  readonly reference: Tag | Digest;
}

const PATH = /^(?<repository>[^:@]+)(?::(?<tag>[^:@/]+))?(?:@(?<digest>[^@/]+))?$/;
const LONGEST = 512;

/**
 * Takes a reference apart, or answers with what is wrong with it.
 *
 * As everywhere, a first component with a dot or a port, or `localhost`, is a host; but no other host is ever
 * put in front of a bare name.
 */
export function parseImageReference(text: string): ImageReference | string {
  const malformed = 'must be [host[:port]/]repository:tag or [host[:port]/]repository@sha256:…';
  if (text.length > LONGEST) return `must have at most ${LONGEST} characters`;
  const slash = text.indexOf('/');
  const first = slash === -1 ? '' : text.slice(0, slash);
  const named = /[.:]/.test(first) || first === 'localhost';
  const host = named ? parseHost(first) : null;
  const {
    repository = '',
    tag,
    digest,
  } = PATH.exec(named ? text.slice(slash + 1) : text)?.groups ?? {};
  if (!isRepository(repository) || (named && host === null)) return malformed;
  if (digest !== undefined) {
    if (!isDigest(digest) || (tag !== undefined && !isTag(tag))) return malformed;
    return { host, repository, reference: digest };
  }
  if (tag === undefined)
    return 'must name a tag or a digest: repository:tag or repository@sha256:…';
  return isTag(tag) ? { host, repository, reference: tag } : malformed;
}
