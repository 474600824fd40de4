import type { Bodies, Body } from '../http/bodies.ts';
import type { ServerContext, YogaPlugin } from './server-context.ts';

/** Has a request wait for its turn before its body is read; comes behind authentication, and before any parser. */
export function useBodiesInTurn(bodies: Bodies): YogaPlugin {
  return {
    onRequestParse: ({ request, serverContext }) => beginBody(bodies, request, serverContext),
  };
}

/** Waits for the turn, unless it has come. @throws RequestRefused as `Bodies.begin` does */
export function beginBody(
  bodies: Bodies,
  request: Request,
  serverContext: ServerContext,
): void | Promise<void> {
  const { record, turns, body: begun } = serverContext;
  if (record.caller === null || begun !== undefined) return;
  const begin = (body: Body) => {
    serverContext.body = turns.use(body);
  };
  const body = bodies.begin(record.caller, request);
  return body instanceof Promise ? body.then(begin) : begin(body);
}
