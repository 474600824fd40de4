/** Every request comes in here, is given an id, answered by the surface it asks for, and logged. */

import type { GraphQLHandler } from '../graphql/yoga.ts';
import { newUuid } from '../ids.ts';
import { graphqlCode } from '../outcomes.ts';
import { RequestRefused } from '../request-refused.ts';
import type { Services } from '../services.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { newRequestRecord, type RequestRecord, requestScope } from '../telemetry/request-record.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { refuse } from './error-envelope.ts';
import { readiness } from './health.ts';
import { readBody } from './read-body.ts';

export interface Surfaces {
  readonly services: Services;
  readonly graphql: GraphQLHandler;
  readonly rest: (request: Request, record: RequestRecord) => Promise<Response>;
  readonly metrics: Metrics;
  readonly tracing: Tracing | null;
}

/**
 * @param options.bodyIsRead the request's body is text in memory already, and not too long
 * @param options.address of the socket's other end
 */
export type Handler = (
  request: Request,
  options?: { readonly bodyIsRead: boolean; readonly address?: string | undefined },
) => Promise<Response>;

/** One function from request to response, so that tests and the server go the same way. */
export function createHandler(surfaces: Surfaces): Handler {
  const { log } = surfaces.services;
  return async (request, { bodyIsRead, address } = { bodyIsRead: false }) => {
    const record = newRequestRecord(newUuid(), address);
    const startedAt = performance.now();
    const path = new URL(request.url).pathname;
    const route = routeOf(path);
    const respond = () =>
      requestScope.run(record, () =>
        answer(surfaces, route, request, record, bodyIsRead).catch((error: unknown) => {
          if (error instanceof RequestRefused) {
            record.outcomes.push(error.code);
            return refuse(error.code, error.message, record.requestId);
          }
          log.error({ err: error, requestId: record.requestId }, 'request failed');
          record.outcomes.push('internal_error');
          const message = 'Something went wrong here; quote the request id.';
          return refuse('internal_error', message, record.requestId);
        }),
      );
    const { tracing } = surfaces;
    const isWork = route === 'graphql' || route === 'rest';
    const response = await (tracing === null || !isWork
      ? respond()
      : tracing.request(request, route, record, respond));
    response.headers.set('x-request-id', record.requestId);
    if (record.retryAfterSeconds !== null) {
      response.headers.set('retry-after', String(record.retryAfterSeconds));
    }
    const milliseconds = performance.now() - startedAt;
    surfaces.metrics.request(route, response.status, milliseconds, record);
    if (isWork) {
      log.info(
        {
          requestId: record.requestId,
          ...(record.traceId === null ? {} : { traceId: record.traceId }),
          method: request.method,
          route,
          operation: record.operation,
          org: record.caller?.orgId,
          ...principalOf(record),
          outcome: record.outcomes.join(' ') || 'ok',
          status: response.status,
          ms: Math.round(milliseconds * 10) / 10,
        },
        'request',
      );
    }
    return response;
  };
}

type Route = 'graphql' | 'rest' | 'healthz' | 'readyz' | 'metrics' | 'none';

function routeOf(path: string): Route {
  switch (path) {
    case '/graphql':
      return 'graphql';
    case '/healthz':
      return 'healthz';
    case '/readyz':
      return 'readyz';
    case '/metrics':
      return 'metrics';
    default:
      return path.startsWith('/v1/') ? 'rest' : 'none';
  }
}

async function answer(
  surfaces: Surfaces,
  route: Route,
  request: Request,
  record: RequestRecord,
  bodyIsRead: boolean,
): Promise<Response> {
  switch (route) {
    case 'graphql':
      return answerGraphQL(surfaces.graphql, request, record, bodyIsRead);
    case 'rest':
      return surfaces.rest(request, record);
    case 'healthz':
      return Response.json({ status: 'ok' });
    case 'readyz': {
      const { ready, body } = await readiness(surfaces.services);
      return Response.json(body, { status: ready ? 200 : 503 });
    }
    case 'metrics':
      return new Response(await surfaces.metrics.text(), {
        headers: { 'content-type': surfaces.metrics.contentType },
      });
    case 'none':
      return refuse('route_not_found', 'There is nothing at this path.', record.requestId);
  }
}

async function answerGraphQL(
  graphql: GraphQLHandler,
  request: Request,
  record: RequestRecord,
  bodyIsRead: boolean,
): Promise<Response> {
  await using disposables = new AsyncDisposableStack();
  const isUpload = request.headers.get('content-type')?.startsWith('multipart/') ?? false;
  try {
    const readable =
      bodyIsRead || isUpload || request.body === null ? request : await buffered(request);
    return await graphql.fetch(readable, { record, disposables });
  } catch (error) {
    if (!(error instanceof RequestRefused)) throw error;
    record.outcomes.push(error.code);
    const extensions = { code: graphqlCode(error.code), requestId: record.requestId };
    const { status } = refuse(error.code, error.message, record.requestId);
    return Response.json({ errors: [{ message: error.message, extensions }] }, { status });
  }
}

async function buffered(request: Request): Promise<Request> {
  const { url, method, headers } = request;
  return new Request(url, { method, headers, body: await readBody(request) });
}

function principalOf({ caller }: RequestRecord): Record<string, string> {
  if (caller === null) return {};
  const { principal } = caller;
  return principal.kind === 'api_key' ? { key: principal.keyId } : { user: principal.userId };
}
