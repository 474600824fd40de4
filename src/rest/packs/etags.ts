/** What tells a pack and its files from their earlier states (RFC 9110, 8.8.3). */
import type { PackRow } from '../../model/pack-row.ts';
import type { PackFile } from '../../packs/contents/pack-files.ts';
import type { Expectation } from '../../packs/expected-state.ts';
import { RequestRefused } from '../../request-refused.ts';

/** Of a pack as it is shown, and so of all that is in it. */
export const packETag = ({ imageDigest, updatedAt }: PackRow): string =>
  `"${imageDigest}.${updatedAt.getTime().toString(36)}"`;

/** Of a pack's archive. */
export const archiveETag = ({ imageDigest }: Pick<PackRow, 'imageDigest'>): string =>
  `"${imageDigest}"`;

/** Of a file's bytes. */
export const fileETag = ({ hash }: Pick<PackFile, 'hash'>): string => `"sha256-${hash}"`;

/**
 * What a change expects: that what it changes is still this (`If-Match`: the ETag of the file, of the pack or of its
 * archive), or is not (`If-None-Match`: `*` where nothing is to be overwritten). Undefined: nothing.
 */
export function expectedBy(headers: Headers): Expectation | undefined {
  const [match, noneMatch] = ['if-match', 'if-none-match'].map((name) => headers.get(name));
  if (match == null && noneMatch == null) return undefined;
  return ({ pack, file }) => {
    const ofPack = [packETag(pack), archiveETag(pack)];
    const ofFile = file == null ? [] : [fileETag(file)];
    const isOneOf = (header: string, current: readonly string[]) =>
      entityTags(header).some((tag) => (tag === '*' ? file !== null : current.includes(tag)));
    if (match != null && !isOneOf(match, [...ofPack, ...ofFile])) {
      throw changed(
        isOneOf(strong(match), [...ofPack, ...ofFile])
          ? 'A proxy has weakened the ETag that you read, and If-Match takes no weak one: leave its W/ out,'
          : 'This has changed since you read it (If-Match): read it again,',
      );
    }
    if (noneMatch != null && isOneOf(strong(noneMatch), file === undefined ? ofPack : ofFile)) {
      throw changed('This is there already (If-None-Match): read it,');
    }
  };
}

const changed = (what: string) =>
  new RequestRefused('precondition_failed', `${what} then make your change again.`);

/** Whether the caller has this already (`If-None-Match`), also where a proxy has weakened the ETag. */
export function isKnown(headers: Headers, etag: string): boolean {
  const known = entityTags(strong(headers.get('if-none-match') ?? ''));
  return known.some((tag) => tag === '*' || tag === etag);
}

const entityTags = (header: string): string[] => header.split(',').map((tag) => tag.trim());

/** As they were before a proxy compressed the answer: no part of an ETag of ours looks like this. */
const strong = (header: string): string => header.replaceAll('W/"', '"');
