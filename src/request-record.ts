import { AsyncLocalStorage } from 'node:async_hooks';
import type { Caller } from './identity/caller.ts';

/** What is known of one request when its log line is written; each layer adds what it learns. */
export interface RequestRecord {
  readonly requestId: string;
  caller: Caller | null;
  /** `deletePack`, `DELETE /v1/packs/{id}` … never anything that a caller wrote freely. */
  operation: string | null;
  /** What the caller called a GraphQL operation, cut. */
  operationName: string | null;
  /** Kinds of outcomes and codes of errors, in the order in which they came. */
  readonly outcomes: string[];
  /** The trace that the request is part of, where requests are traced. */
  traceId: string | null;
  /** Who sent it, as far as the socket tells; null where there is none. */
  readonly address: string | null;
  /** In a stream: the audit event of the result that is on its way; null: it tells of none. */
  eventId: string | null;
  /** Seconds, for a `Retry-After` header on whatever is answered. */
  retryAfterSeconds: number | null;
  /** What its answer takes of its caller's share of this process: given back once the answer is sent, or nobody reads it. */
  turn: Disposable | null;
}

export const newRequestRecord = (
  requestId: string,
  address: string | null = null,
): RequestRecord => ({
  requestId,
  caller: null,
  operation: null,
  operationName: null,
  outcomes: [],
  traceId: null,
  address,
  eventId: null,
  retryAfterSeconds: null,
  turn: null,
});

/** Carries the record to log lines that are written far below, such as those of registry calls. */
export const requestScope = new AsyncLocalStorage<RequestRecord>();

/** What log lines tell of the request within which they are written. */
export function requestLogged(): { readonly requestId?: string; readonly traceId?: string } {
  const record = requestScope.getStore();
  if (record === undefined) return {};
  const { requestId, traceId } = record;
  return traceId === null ? { requestId } : { requestId, traceId };
}
