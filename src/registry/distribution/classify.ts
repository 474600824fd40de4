/**
 * What each answer of a registry means: the one table, read from the top, first match wins.
 *
 * Success and "gone" are believed only in the registry's own form; whatever may come from a proxy, a login
 * page or half an answer is a failure worth another try. Nothing the registry wrote gets into a `detail`.
 */
import type { RegistryFailure } from '../registry.ts';
import { type Answer, type Content, contentOf, isRecord } from './answer.ts';
import { failed, SPEAKS_TLS } from './call-failed.ts';
import { retryAfterSeconds } from './retry-after.ts';

export type Verdict =
  | { readonly kind: 'success' }
  | { readonly kind: 'gone' }
  /** A registry that refuses to delete a manifest while an index, or what refers to it, still names it. */
  | { readonly kind: 'needed_by_index' }
  /** Google Artifact Registry wants the tags deleted first. */
  | { readonly kind: 'dangling_tag' }
  | RegistryFailure;

interface Reading {
  readonly method: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: Content;
  readonly text: string;
}

type Row = readonly [when: (reading: Reading) => boolean, verdict: Verdict];

const says = (reading: Reading, ...codes: string[]) =>
  reading.content.kind === 'errors' &&
  reading.content.codes.length > 0 &&
  reading.content.codes.every((code) => codes.includes(code));
const mentions = (reading: Reading, pattern: RegExp) =>
  reading.content.kind === 'errors' && pattern.test(reading.content.messages);
const succeeds = ({ status }: Reading) => status >= 200 && status < 300;
const refusesAsClient = ({ status }: Reading) => status === 404 || status === 400;
/** AWS' errors outside of the registry's own form. */
const isThrottling = ({ content }: Reading) =>
  content.kind === 'json' &&
  isRecord(content.value) &&
  content.value.__type === 'ThrottlingException';
const again = (detail: string) => failed('REGISTRY_ERROR', true, detail);
const never = (detail: string) => failed('REGISTRY_ERROR', false, detail);

const rows: readonly Row[] = [
  [
    (r) => succeeds(r) && (r.content.kind === 'empty' || r.content.kind === 'json'),
    { kind: 'success' },
  ],
  [
    (r) => succeeds(r) && r.content.kind === 'errors',
    again('the registry reported success and an error in one answer'),
  ],
  [
    (r) => succeeds(r),
    again('a page came back instead of a registry answer: is a proxy or a login page in between?'),
  ],
  // docker-registry says MANIFEST_UNKNOWN for a manifest that is there but in no type of our Accept header:
  // we always send the full list, so a proxy has dropped it.
  [
    (r) => refusesAsClient(r) && mentions(r, /accept header/i),
    again('the Accept header did not reach the registry: check the proxy in between'),
  ],
  // AWS says so with 400, GitHub with 403.
  [
    (r) =>
      r.status === 429 ||
      (r.status >= 400 &&
        r.status < 500 &&
        (says(r, 'TOOMANYREQUESTS', 'ThrottlingException') ||
          mentions(r, /\brate (?:limit|exceeded)/i) ||
          isThrottling(r))),
    failed('RATE_LIMITED', true, 'the registry asks us to slow down'),
  ],
  [(r) => refusesAsClient(r) && says(r, 'MANIFEST_UNKNOWN', 'NAME_UNKNOWN'), { kind: 'gone' }],
  // Quay's word for a tag that is no more; of a digest it does not say that.
  [(r) => r.status === 404 && r.method === 'GET' && says(r, 'TAG_EXPIRED'), { kind: 'gone' }],
  // Harbor's word for both.
  [(r) => r.status === 404 && says(r, 'NOT_FOUND'), { kind: 'gone' }],
  [
    (r) => r.status === 404,
    again('404 without the registry saying that the manifest is unknown: check REGISTRY_URL'),
  ],
  [(r) => r.status === 400 && says(r, 'GOOGLE_MANIFEST_DANGLING_TAG'), { kind: 'dangling_tag' }],
  // Google Artifact Registry with 400, GitLab with 409, ECR in its own words.
  [
    (r) =>
      r.method === 'DELETE' &&
      (says(
        r,
        'GOOGLE_MANIFEST_DANGLING_PARENT_IMAGE',
        'GOOGLE_MANIFEST_REFERRING_MANIFEST',
        'MANIFEST_REFERENCED',
      ) ||
        mentions(r, /referenced by manifest list/i)),
    { kind: 'needed_by_index' },
  ],
  // What Go's and nginx's TLS servers answer to a request without TLS.
  [
    (r) =>
      r.status === 400 &&
      r.content.kind === 'other' &&
      /HTTP request (was sent )?to (an )?HTTPS (port|server)/i.test(r.content.text),
    SPEAKS_TLS,
  ],
  // ECR's immutable tags.
  [
    (r) => r.status === 400 && says(r, 'TAG_INVALID') && mentions(r, /immutable/i),
    never('the registry keeps this tag by rule (TAG_INVALID): lift its immutability there'),
  ],
  [
    (r) => r.status === 400 && r.content.kind === 'errors',
    never('the registry calls the request malformed (400)'),
  ],
  [(r) => r.status === 400, again('400 without a registry error')],
  [
    (r) => r.status === 401,
    failed(
      'UNAUTHORIZED',
      false,
      'the registry does not accept our credentials for this (401): check REGISTRY_USERNAME, REGISTRY_PASSWORD and the account’s permissions',
    ),
  ],
  [
    (r) => r.status === 403 && mentions(r, /read[- ]?only/i),
    again('the registry is read-only now (403)'),
  ],
  // ECR's passwords last twelve hours.
  [
    (r) => r.status === 403 && mentions(r, /token has expired/i),
    failed(
      'UNAUTHORIZED',
      false,
      'the registry says that our credentials have expired (403): renew REGISTRY_PASSWORD',
    ),
  ],
  // Harbor's projects and others.
  [
    (r) =>
      (r.status === 403 || r.status === 413) &&
      r.method !== 'DELETE' &&
      mentions(r, /\bquota\b|configured upper limit|storage limit/i),
    never('the registry has no room left for us by its quota: raise it, or delete images there'),
  ],
  // Azure's firewall.
  [
    (r) => r.status === 403 && mentions(r, /\bclient with IP\b/i),
    failed(
      'UNAUTHORIZED',
      false,
      'the registry does not let our address in (403): allow it in its network rules',
    ),
  ],
  [
    (r) => r.status === 403,
    failed(
      'UNAUTHORIZED',
      false,
      'the registry forbids this (403): the account lacks the permission, or the image is protected',
    ),
  ],
  // Azure's locks, of a repository, an image or a tag.
  [
    (r) =>
      r.status === 405 &&
      (says(r, 'REGISTRY_DISALLOWED_OPERATION') || mentions(r, /disallowed|\blocked\b/i)),
    never(
      'the registry keeps what is locked there (405): unlock the image, its tags and its repository (Azure: deleteEnabled, writeEnabled)',
    ),
  ],
  [
    (r) => r.status === 405 && r.method === 'DELETE' && says(r, 'UNSUPPORTED'),
    failed(
      'DELETE_UNSUPPORTED',
      false,
      'the registry refuses deletes (405 UNSUPPORTED): enable deletion there (distribution: storage.delete.enabled)',
    ),
  ],
  // Quay in its read-only mode.
  [
    (r) => r.status === 405 && mentions(r, /read[- ]?only/i),
    again('the registry is read-only now (405)'),
  ],
  [(r) => r.status === 405 && says(r, 'UNSUPPORTED'), never('the registry does not support this')],
  [(r) => r.status === 405 && says(r, 'DENIED'), { kind: 'needed_by_index' }],
  [
    (r) => r.status === 405 && r.headers.allow !== undefined && !r.headers.allow.includes(r.method),
    again('the registry is read-only now (405)'),
  ],
  [(r) => r.status === 405, again('405 without a registry error')],
  [(r) => r.status === 408, failed('TIMEOUT', true, 'the registry waited too long for us (408)')],
  // Quay's immutable tags.
  [
    (r) => r.status === 409 && says(r, 'TAG_IMMUTABLE'),
    never('the registry keeps this tag by rule (TAG_IMMUTABLE): lift its immutability there'),
  ],
  [(r) => r.status === 409, again('the registry is changing the same image just now (409)')],
  // Harbor gives nobody an image that is not signed or not scanned, where its project asks for that.
  [
    (r) => r.status === 412 && r.method === 'GET',
    never(
      'the registry lets nobody read an image there by rule (412): see its project’s rules about signatures and vulnerabilities',
    ),
  ],
  [
    (r) => r.status === 412,
    never('the registry keeps this image by rule (412): lift its immutability or retention rule'),
  ],
  [(r) => r.status === 413, never('the registry finds the content too large (413)')],
  // 303 included: what follows it is a GET, and its 200 would say nothing about a DELETE.
  [
    (r) => r.status >= 300 && r.status < 400,
    again('the registry sends us elsewhere, where we do not follow: check REGISTRY_URL'),
  ],
  [
    (r) => r.status === 505,
    never(
      'the registry wants another version of HTTP than 1.1 (505): check the proxy in front of it',
    ),
  ],
  // What docker-registry's error says of its store: Linux' numbers for EROFS, ENOSPC, EDQUOT, EACCES, or their texts.
  [
    (r) => r.status >= 500 && /"Err":30\b|read-only file ?system/i.test(r.text),
    { ...again('the registry cannot write: its store is read-only (5xx)'), outage: true },
  ],
  [
    (r) => r.status >= 500 && /"Err":(?:28|122)\b|no space left|quota exceeded/i.test(r.text),
    { ...again('the registry cannot write: its store is full (5xx)'), outage: true },
  ],
  [
    (r) => r.status >= 500 && /"Err":(?:1|13)\b/.test(r.text),
    { ...again('the registry may not write to its own store (5xx)'), outage: true },
  ],
  [
    (r) => r.status >= 500,
    { ...again('the registry has an internal problem (5xx)'), outage: true },
  ],
  [
    (r) => r.content.kind === 'errors',
    never('the registry refuses the request with an error we do not know'),
  ],
];

/** Reads an answer; pure. `now` (milliseconds, wall clock) turns a `Retry-After` date into seconds. */
export function classify(method: string, answer: Answer, now: number): Verdict {
  const { status, headers } = answer;
  const text = answer.body.toString('utf8');
  const reading = { method, status, headers, content: contentOf(answer), text };
  const verdict =
    rows.find(([when]) => when(reading))?.[1] ?? again('the answer is not one of a registry');
  if (verdict.kind !== 'failed' || !verdict.retryable) return verdict;
  const pause = retryAfterSeconds(headers['retry-after'], now);
  return pause === undefined ? verdict : { ...verdict, retryAfterSeconds: pause };
}
