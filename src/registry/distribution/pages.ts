import { type Answer, hasCode } from './answer.ts';
import type { Call } from './call.ts';
import { CallFailed, failed } from './call-failed.ts';
import type { Client } from './client.ts';
import type { Deadline } from './deadline.ts';
import { atOrigin } from './own-address.ts';

/**
 * The pages of a listing, by `Link: <…>; rel="next"` (RFC 8288, as OCI Distribution uses it); none where the
 * repository or manifest is unknown. However many there are: callers bound what they read by time, and by what they
 * keep. Throws `CallFailed`, also where the pages go in a circle.
 */
export async function* pages(
  client: Client,
  call: Omit<Call, 'url'>,
  first: URL,
  deadline: Deadline,
): AsyncGenerator<Answer> {
  let url: URL | null = first;
  // Brent's algorithm: it notices a circle of any length while remembering one address.
  let remembered = '';
  for (let page = 1, rememberAt = 1; url; page++) {
    if (url.href === remembered) {
      throw new CallFailed(failed('REGISTRY_ERROR', false, 'a listing of the registry never ends'));
    }
    if (page === rememberAt) {
      remembered = url.href;
      rememberAt *= 2;
    }
    const final = (answer: Answer) => refusesNumber(answer) || call.final?.(answer) === true;
    const result = await client.call({ ...call, url, needsCredentials: true, final }, deadline);
    if (result.kind !== 'answered') return;
    if (refusesNumber(result.answer)) {
      if (!url.searchParams.has('n')) throw new CallFailed(tooMany);
      // Its limit is lower than our wish (distribution's `tags.maxtags`): it may choose.
      url = new URL(url);
      url.searchParams.delete('n');
      continue;
    }
    yield result.answer;
    url = nextPage(result.answer);
  }
}

const tooMany = failed('REGISTRY_ERROR', false, 'the registry refuses every number of entries');

function refusesNumber(answer: Answer): boolean {
  return answer.status === 400 && hasCode(answer, 'PAGINATION_NUMBER_INVALID');
}

function nextPage(answer: Answer): URL | null {
  const target = nextLink(answer.headers.link ?? '');
  if (target === undefined) return null;
  const from = answer.url;
  const next = URL.canParse(target, from.href) ? new URL(target, from) : null;
  // Behind a proxy a registry may believe that it is at http:, at another port, or (Quay, by its SERVER_HOSTNAME) at
  // another name. The next page of the same listing is asked for where this one came from.
  if (next === null || (next.hostname !== from.hostname && next.pathname !== from.pathname)) {
    throw new CallFailed(
      failed('REGISTRY_ERROR', false, 'the registry continues a listing at another address'),
    );
  }
  return atOrigin(next, from);
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
