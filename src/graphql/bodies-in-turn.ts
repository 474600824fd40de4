import type { Bodies, Body } from '../http/bodies.ts';
import type { YogaPlugin } from './server-context.ts';

/** Has a request wait for its turn before its body is read; comes behind authentication, and before any parser. */
export function useBodiesInTurn(bodies: Bodies): YogaPlugin {
  return {
    onRequestParse({ request, serverContext }) {
      const { record, disposables } = serverContext;
      if (record.caller === null) return;
      const begin = (body: Body) => {
        serverContext.body = disposables.use(body);
      };
      const body = bodies.begin(record.caller, request);
      return body instanceof Promise ? body.then(begin) : begin(body);
    },
  };
}
