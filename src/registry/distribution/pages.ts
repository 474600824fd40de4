import type { Answer } from './answer.ts';
import { CallFailed, failed } from './call-failed.ts';
import type { Call, Client } from './client.ts';
import type { Deadline } from './deadline.ts';

const MOST_PAGES = 100;

/**
 * The pages of a listing, by `Link: <…>; rel="next"` (RFC 8288, as OCI Distribution uses it); none where the
 * repository or manifest is unknown. Throws `CallFailed`.
 */
export async function* pages(
  client: Client,
  call: Omit<Call, 'url'>,
  first: URL,
  deadline: Deadline,
): AsyncGenerator<Answer> {
  let url: URL | null = first;
  for (let page = 1; url; page++) {
    const result = await client.call({ ...call, url, needsCredentials: true }, deadline);
    if (result.kind !== 'answered') return;
    yield result.answer;
    url = nextPage(result.answer, url);
    if (url && page === MOST_PAGES) {
      throw new CallFailed(
        failed('REGISTRY_ERROR', false, 'a listing of the registry has more than 100 pages'),
      );
    }
  }
}

function nextPage(answer: Answer, from: URL): URL | null {
  const target = nextLink(answer.headers.link ?? '');
  if (target === undefined) return null;
  const next = URL.canParse(target, from.href) ? new URL(target, from) : null;
  if (next?.origin !== from.origin) {
    throw new CallFailed(
      failed('REGISTRY_ERROR', false, 'the registry continues a listing at another address'),
    );
  }
  return next;
}

// RFC 8288, section 3: a target, then parameters whose values are tokens or quoted; a comma before the next link.
const TARGET = /[\s,]*<([^<>]*)>/y;
const PARAMETER = /\s*;\s*([^\s=;,"]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?/y;

/** The target of the first link whose relation is `next`, wherever among its parameters that is said. */
function nextLink(header: string): string | undefined {
  let at = 0;
  const read = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(header);
    if (found) at = pattern.lastIndex;
    return found;
  };
  for (let link = read(TARGET); link; link = read(TARGET)) {
    for (let parameter = read(PARAMETER); parameter; parameter = read(PARAMETER)) {
      const [, name = '', quoted, plain = ''] = parameter;
      if (name.toLowerCase() !== 'rel') continue;
      if ((quoted ?? plain).toLowerCase().split(/\s+/).includes('next')) return link[1];
    }
  }
  return undefined;
}
