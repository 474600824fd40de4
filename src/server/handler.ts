/** Every request comes in here, is given an id, and is answered by the surface it asks for. */
import { randomUUID } from 'node:crypto';
import type { GraphQLHandler } from '../graphql/yoga.ts';
import { newRequestRecord, type RequestRecord } from '../request-record.ts';
import { RequestRefused } from '../request-refused.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import type { World } from '../world.ts';
import { withAnswerHeaders } from './answer-headers.ts';
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
  /** @param sent settles once the answer is sent, or nobody is there to read it */
  fetch(request: Request, address?: string, sent?: Promise<unknown>): Promise<Response>;
  /** Answers what did not become a request, or was lost on the way to its answer, by what was thrown. */
  fail(error: unknown, address?: string): Promise<Response>;
}

/** The whole service as one function from request to response; it never throws. */
export function createHandler(surfaces: Surfaces): Handler {
  const { world, metrics, tracing } = surfaces;
  const observe = createObserve(world.log, metrics, tracing);
  return {
    async fetch(request, address, sent = Promise.resolve()) {
      const record = newRequestRecord(randomUUID(), address);
      const { method, headers, url } = request;
      const route = routeOf(pathOf(url));
      const response = await observe({ method, route, headers }, record, () =>
        answer(surfaces, route, request, record),
      );
      const { turn } = record;
      if (turn !== null) void sent.then(() => turn[Symbol.dispose]());
      return withAnswerHeaders(response, record);
    },
    async fail(error, address) {
      const record = newRequestRecord(randomUUID(), address);
      // OpenTelemetry's word for a method that is none of the known.
      const arrival = { method: '_OTHER', route: 'none', headers: new Headers() } as const;
      const response = await observe(arrival, record, () => Promise.reject(error));
      return withAnswerHeaders(response, record);
    },
  };
}

/** Of an absolute URL, without the cost of parsing the rest. */
function pathOf(url: string): string {
  const path = url.slice(url.indexOf('/', url.indexOf('//') + 2));
  return path.replace(/[?#].*/s, '');
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
  route: Route,
  request: Request,
  record: RequestRecord,
): Promise<Response> {
  switch (route) {
    case 'graphql': {
      await using disposables = new AsyncDisposableStack();
      using turns = new DisposableStack();
      return await surfaces.graphql.answer(request, { record, disposables, turns });
    }
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
