/** What stops a request before, or instead of, an answer of the business. */
export const refusals = {
  unauthenticated: 401,
  permission_denied: 403,
  bad_request: 400,
  route_not_found: 404,
  method_not_allowed: 405,
  not_acceptable: 406,
  precondition_failed: 412,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  graphql_parse_failed: 400,
  graphql_validation_failed: 400,
  graphql_limit_exceeded: 400,
  document_not_trusted: 400,
  // As Apollo Server answers them: to its clients another status is no answer, and they would not send the text.
  persisted_query_not_supported: 200,
  persisted_query_not_found: 200,
  internal_error: 500,
  service_unavailable: 503,
} as const;
export type RefusalCode = keyof typeof refusals;

/** What a caller is told of a fault of ours. */
export const MASKED = 'Something went wrong in this service; quote the request id to its operator.';

/** A request that cannot be carried out as it was sent; code and message are for the caller. */
export class RequestRefused extends Error {
  readonly code: RefusalCode;
  readonly status: number;
  /** For a `Retry-After` header; null where waiting is no help, or nobody knows how long. */
  readonly retryAfterSeconds: number | null;

  /** @param status where HTTP has a word for it that says more than that of the code */
  constructor(
    code: RefusalCode,
    message: string,
    status: number = refusals[code],
    retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = 'RequestRefused';
    this.code = code;
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
