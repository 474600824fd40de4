import { type RefusalCode, RequestRefused } from '../request-refused.ts';

/** The one form of an error outside GraphQL, fixed by the contract. */
export interface ErrorEnvelope {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly request_id: string;
    readonly details?: Record<string, unknown>;
  };
}

const headers: Partial<Record<RefusalCode, Record<string, string>>> = {
  unauthenticated: { 'www-authenticate': 'Bearer' },
  // RFC 9110, section 15.5.16.
  unsupported_media_type: { 'accept-encoding': 'gzip, identity' },
};

/** Headers that say what a caller could do about a refusal. */
export const headersOfRefusal = (code: RefusalCode): Record<string, string> => headers[code] ?? {};

/** What refuses a request outside GraphQL. */
export const refuse = (
  code: RefusalCode,
  message: string,
  requestId: string,
  details?: Record<string, unknown>,
): Response => refusedResponse(new RequestRefused(code, message), requestId, details);

/** The same, of a refusal that was thrown. */
export function refusedResponse(
  { code, message, status }: RequestRefused,
  requestId: string,
  details?: Record<string, unknown>,
): Response {
  const body: ErrorEnvelope = {
    error: { code, message, request_id: requestId, ...(details && { details }) },
  };
  return Response.json(body, { status, headers: headersOfRefusal(code) });
}
