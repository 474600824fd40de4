/** The route of an operation, with all that the OpenAPI document says of it. */
import { createRoute, type RouteConfig, z } from '@hono/zod-openapi';
import type { ProblemKind } from '../outcomes.ts';
import type { RefusalCode } from '../request-refused.ts';
import type { Declaration, Kinded } from './declaration.ts';
import { documentedResponses } from './documented-responses.ts';

export type Route = RouteConfig & { getRoutingPath(): string };

export function routeOf<
  Outcome extends Kinded,
  Answer extends z.ZodType,
  Query extends z.ZodObject,
  B,
>({
  method,
  path,
  operationId,
  summary,
  tag,
  needs,
  query,
  body,
  problems,
  success,
  etag,
  takesCondition,
}: Documented<Outcome, Answer, Query, B>): Route {
  // The type of `problems` is what makes these keys kinds; Object.keys cannot know.
  const kinds = new Set(Object.keys(problems) as ProblemKind[]);
  // At least for a query parameter that the operation does not know.
  kinds.add('validation_failed');
  const hasETag = etag !== undefined || success.mediaType !== undefined;
  const hasQuery = Object.keys(query.shape).length > 0;
  const refused: RefusalCode[] = ['unauthenticated', ...body.refusals];
  if (needs !== null) refused.push('permission_denied');
  if (takesCondition === true) refused.push('precondition_failed');
  return createRoute({
    method,
    path,
    operationId,
    summary,
    tags: [tag],
    security: [{ bearer: needs === null ? [] : [needs] }],
    request: {
      ...(path.includes('{id}') && {
        params: path.includes('{path}') ? fileParameters : idParameter,
      }),
      ...(hasQuery && { query }),
      ...(takesCondition && { headers: conditionHeaders }),
      ...(body.documented && { body: body.documented }),
    },
    responses: documentedResponses({ ...success, hasETag }, [...kinds], refused),
  });
}

const idParameter = z.object({
  id: z.string().openapi({ description: 'An opaque id, such as pack_….' }),
});

const conditionHeaders = z.object({
  'if-match': z.string().optional().openapi({
    description:
      'An ETag from an earlier answer: the change is made only where it still holds, else 412.',
  }),
  'if-none-match': z.string().optional().openapi({
    description: '`*`: the change is made only where nothing is overwritten, else 412.',
  }),
});

const fileParameters = idParameter.extend({
  path: z.string().openapi({
    description: 'A file in the pack, slashes as they are: guides/first-steps.md.',
  }),
});

/** What the OpenAPI document says of an operation. */
type Documented<
  Outcome extends Kinded,
  Answer extends z.ZodType,
  Query extends z.ZodObject,
  B,
> = Omit<Declaration<Outcome, Answer, Query, B>, 'run' | 'present' | 'shareOf'>;
