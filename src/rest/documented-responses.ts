/** The OpenAPI responses of an operation, read from the catalogue of problems. */
import { type RouteConfig, z } from '@hono/zod-openapi';
import { type ProblemKind, problems } from '../outcomes.ts';
import { type RefusalCode, refusals } from '../request-refused.ts';
import { anyErrorSchema, problemSchema, refusalSchema } from './problem-schemas.ts';

type Responses = RouteConfig['responses'];

export interface Success {
  readonly status: 200 | 201;
  readonly description: string;
  readonly schema: z.ZodType;
  /** JSON when left out. */
  readonly mediaType?: string;
  readonly hasETag?: boolean;
}

const requestId = {
  'x-request-id': { description: 'Names this request in our logs.', schema: { type: 'string' } },
} as const;
const etag = {
  etag: { description: 'For If-Match and If-None-Match.', schema: { type: 'string' } },
} as const;
const retryAfter = {
  'retry-after': {
    description: 'Seconds to wait, where the registry asked for a pause.',
    schema: { type: 'integer' },
  },
} as const;

/** @param refused what can stop the request before the use-case is asked */
export function documentedResponses(
  success: Success,
  kinds: readonly ProblemKind[],
  refused: readonly RefusalCode[],
): Responses {
  const responses: Responses = {
    [success.status]: {
      description: success.description,
      headers: success.hasETag === true ? { ...requestId, ...etag } : requestId,
      content: { [success.mediaType ?? 'application/json']: { schema: success.schema } },
    },
    ...(success.mediaType !== undefined && {
      304: { description: 'The caller has it already (If-None-Match).', headers: requestId },
    }),
    default: {
      description: 'Any other error.',
      headers: requestId,
      content: { 'application/json': { schema: anyErrorSchema } },
    },
  };
  const statuses = new Set([
    ...kinds.map((kind) => problems[kind].status),
    ...refused.map((code) => refusals[code]),
  ]);
  for (const status of statuses) {
    const ofProblems = kinds.filter((kind) => problems[kind].status === status);
    const ofRefusals = refused.filter((code) => refusals[code] === status);
    const schemas = ofProblems.map(problemSchema);
    if (ofRefusals.length > 0) schemas.push(refusalSchema(ofRefusals));
    const [first, ...others] = schemas;
    if (first === undefined) continue;
    const codes = [...ofProblems.flatMap((kind) => problems[kind].codes), ...ofRefusals];
    responses[status] = {
      description: codes.map((code) => `\`${code}\``).join(', '),
      headers: status === 502 ? { ...requestId, ...retryAfter } : requestId,
      content: {
        'application/json': { schema: others.length === 0 ? first : z.union([first, ...others]) },
      },
    };
  }
  return responses;
}
