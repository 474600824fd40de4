import type { Answer } from './answer.ts';

/** Registries send a blob on once, to their store; more is a loop. */
export const MAX_REDIRECTS = 5;

/**
 * Where an answer sends us, or null when we do not follow.
 *
 * Only 307 and 308 keep the method, and only the registry itself is followed. Blobs are the exception:
 * registries commonly serve them from a store on another host, and their content is verified by digest.
 * The caller must not send credentials to another origin.
 */
export function redirectTarget(answer: Answer, from: URL, blobGet: boolean): URL | null {
  const { status, headers } = answer;
  const keepsMethod = status === 307 || status === 308;
  const getAnyway = blobGet && (status === 301 || status === 302 || status === 303);
  if (!(keepsMethod || getAnyway) || !headers.location) return null;
  if (!URL.canParse(headers.location, from.href)) return null;
  const target = new URL(headers.location, from);
  if (target.origin === from.origin) return target;
  if (!blobGet) return null;
  if (target.protocol === 'https:') return target;
  return target.protocol === 'http:' && from.protocol === 'http:' ? target : null;
}
