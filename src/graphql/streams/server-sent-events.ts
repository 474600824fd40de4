import { resultShown } from '../result-shown.ts';
import type { Framing } from './framing.ts';

/** Server-sent events, as the GraphQL over SSE protocol has them in its "distinct connections mode". */
export const serverSentEvents: Framing = {
  contentType: 'text/event-stream; charset=utf-8',
  // A comment, as is the heartbeat.
  opening: ':\n\n',
  heartbeat: ':\n\n',
  closing: 'event: complete\ndata:\n\n',
  frame(result, eventId) {
    const id = eventId === null ? '' : `id: ${eventId}\n`;
    // JSON has no line breaks of its own, which would begin another field.
    return `event: next\n${id}data: ${JSON.stringify(resultShown(result))}\n\n`;
  },
};
