import { resultShown } from '../result-shown.ts';
import type { Framing } from './framing.ts';

// Clients take the boundary from the header, but Explorer looks for the end of this very one.
const DELIMITER = '\r\n--graphql';
/** A client knows that a part is complete when the next delimiter comes: it is sent together with the part. */
const part = (json: object): string =>
  `\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(json)}${DELIMITER}`;
const HEARTBEAT = part({});

/**
 * Apollo's multipart protocol for subscriptions, version 1.0 (GraphOS documentation, "Multipart HTTP protocol for
 * GraphQL Subscriptions"): a result is the `payload`; what ends the whole stream has errors beside a null payload.
 */
export const multipartSubscription: Framing = {
  contentType: 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
  opening: `${DELIMITER}${HEARTBEAT}`,
  heartbeat: HEARTBEAT,
  closing: '--\r\n',
  frame(result) {
    const shown = resultShown(result);
    return part('data' in result ? { payload: shown } : { payload: null, ...shown });
  },
};
