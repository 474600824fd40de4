import { graphqlCode } from '../outcomes.ts';
import type { RequestRefused } from '../request-refused.ts';

/** What refuses a request as a whole, in GraphQL's form; the caller of this notes the outcome. */
export const refusedResponse = (
  { code, message, status }: RequestRefused,
  requestId: string,
): Response =>
  Response.json(
    { errors: [{ message, extensions: { code: graphqlCode(code), requestId } }] },
    { status },
  );
