/** Which form of an answer a request asks for (RFC 9110, section 12.5.1). */
import { parseAccept } from 'hono/utils/accept';

/**
 * The media type that `accept` prefers of those that are offered, or null where it takes none.
 *
 * Of equally preferred types it is the one that `accept` names first, and for a range such as `*` the one offered
 * first.
 * @param accept null, like an empty one, stands for anything
 */
export function preferred<Type extends string>(
  accept: string | null,
  offered: readonly Type[],
): Type | null {
  if (!accept || accept === '*/*') return offered[0] ?? null;
  const ranges = parseAccept(accept.toLowerCase()).filter(isUtf8);
  const refused = ranges.filter(({ q }) => q === 0).map(({ type }) => type);
  for (const { type, q } of ranges) {
    if (q === 0) continue;
    const found = offered.find((one) => matches(type, one) && !refused.includes(one));
    if (found !== undefined) return found;
  }
  return null;
}

// Every answer is UTF-8.
const isUtf8 = ({ params }: { readonly params: Readonly<Record<string, string>> }) =>
  params.charset === undefined || params.charset === 'utf-8' || params.charset === 'utf8';

const matches = (range: string, type: string): boolean =>
  range === type || range === '*/*' || range === type.replace(/\/.*/, '/*');
