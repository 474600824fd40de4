import type { Turn, Turns } from '../http/turns.ts';
import { weightOfBody } from '../http/weight-of-body.ts';
import type { YogaPlugin } from './server-context.ts';

/** Has a request wait for its turn before its body is read; comes behind authentication, and before any parser. */
export function useBodyTurns(bodies: Turns): YogaPlugin {
  return {
    onRequestParse({ request, serverContext }) {
      const { record, disposables } = serverContext;
      if (record.caller === null) return;
      const begin = (turn: Turn) => {
        serverContext.bodyTurn = disposables.use(turn);
      };
      const turn = bodies.begin(record.caller, weightOfBody(request));
      return turn instanceof Promise ? turn.then(begin) : begin(turn);
    },
  };
}
