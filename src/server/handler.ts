/** Every request comes in here, is given an id, and is answered by the surface it asks for. */
import { randomUUID } from 'node:crypto';
import { isPlainAnswer, type PlainAnswer, type PlainOperation } from '../graphql/plain-answer.ts';
import type { GraphQLHandler } from '../graphql/yoga.ts';
import { newRequestRecord, type RequestRecord } from '../request-record.ts';
import { RequestRefused } from '../request-refused.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { World } from '../world.ts';
import { createGraphQLRequests } from './graphql-requests.ts';
import type { Health } from './health.ts';
import { createObserve, type Route } from './observe.ts';

export interface Surfaces {
  readonly world: World;
  readonly health: Health;
  readonly graphql: GraphQLHandler;
  readonly rest: (request: Request, record: RequestRecord) => Promise<Response>;
  readonly metrics: Metrics;
  readonly tracing: Tracing | null;
}

/** From request to response, so that tests and the server go the same way; `address` is that of the socket's other end. */
export interface Handler {
  fetch(request: Request, address?: string): Promise<Response>;
  /** What is almost all traffic, without the web's classes around it. */
  operate(operation: PlainOperation, address?: string): Promise<Response | PlainAnswer>;
  /** Answers what did not become a request, or was lost on the way to its answer, by what was thrown. */
  fail(error: unknown, address?: string): Promise<Response>;
}

export function createHandler(surfaces: Surfaces): Handler {
  const { world, graphql, metrics, tracing } = surfaces;
  const observe = createObserve(world.log, metrics, tracing);
  const graphqlRequests = createGraphQLRequests(graphql, world.log);
  return {
    async fetch(request, address) {
      const record = newRequestRecord(randomUUID(), address);
      const { method, headers, url } = request;
      const route = routeOf(new URL(url).pathname);
      const arrival = { method, route, traceparent: headers.get('traceparent') };
      const response = await observe(arrival, record, () =>
        route === 'graphql'
          ? graphqlRequests.answer(request, record)
          : answer(surfaces, route, request, record),
      );
      return withHeaders(response, record);
    },
    async operate(operation, address) {
      const record = newRequestRecord(randomUUID(), address);
      const { traceparent } = operation.headers;
      const arrival = {
        method: 'POST',
        route: 'graphql',
        traceparent: typeof traceparent === 'string' ? traceparent : null,
      } as const;
      const answer = await observe(arrival, record, () =>
        graphqlRequests.answerPlain(operation, record),
      );
      return isPlainAnswer(answer)
        ? { ...answer, headers: { ...answer.headers, ...headersOf(record) } }
        : withHeaders(answer, record);
    },
    async fail(error, address) {
      const record = newRequestRecord(randomUUID(), address);
      // OpenTelemetry's word for a method that is none of the known.
      const arrival = { method: '_OTHER', route: 'none', traceparent: null } as const;
      const response = await observe<Response>(arrival, record, () => Promise.reject(error));
      return withHeaders(response, record);
    },
  };
}

const headersOf = ({ requestId, retryAfterSeconds }: RequestRecord): Record<string, string> => ({
  'x-request-id': requestId,
  ...(retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) }),
});

function withHeaders(response: Response, record: RequestRecord): Response {
  for (const [name, value] of Object.entries(headersOf(record))) response.headers.set(name, value);
  return response;
}

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
  route: Exclude<Route, 'graphql'>,
  request: Request,
  record: RequestRecord,
): Promise<Response> {
  switch (route) {
    case 'rest':
      return surfaces.rest(request, record);
    case 'healthz':
      return Response.json({ status: 'ok' });
    case 'readyz': {
      const { ready, body } = await surfaces.health.readiness();
      return Response.json(body, { status: ready ? 200 : 503 });
    }
    case 'metrics':
      return new Response(await surfaces.metrics.text(), {
        headers: { 'content-type': surfaces.metrics.contentType },
      });
    case 'none':
      throw new RequestRefused('route_not_found', 'There is nothing at this path.');
  }
}
