/** What a request says of its method and of the forms that it and its answer have; refused before anything is run. */
import { preferred } from '../http/accept.ts';
import { type RefusalCode, RequestRefused } from '../request-refused.ts';
import { errorResponse } from './error-response.ts';
import { refusal } from './refusal.ts';
import type { YogaPlugin } from './server-context.ts';
import { framingFor } from './streams/use-streams.ts';

const STREAM = 'text/event-stream';
const ANSWERS = [
  'application/graphql-response+json',
  'application/json',
  STREAM,
  'multipart/mixed',
];
const METHODS = ['GET', 'POST', 'OPTIONS'];

const messages = {
  method_not_allowed: 'Send GraphQL by GET or POST.',
  not_acceptable: `Answers come as ${ANSWERS.join(', ')}, in UTF-8; those of a subscription as ${STREAM} or as multipart/mixed;subscriptionSpec=1.0.`,
  unsupported_media_type: 'Send the operation as application/json.',
} as const satisfies Partial<Record<RefusalCode, string>>;
type Refused = keyof typeof messages;

/** Comes first of the plugins but GraphiQL's. */
export function useMethods(): YogaPlugin {
  return {
    onRequest({ request, serverContext: { record }, endResponse }) {
      if (METHODS.includes(request.method)) return;
      record.outcomes.push('method_not_allowed');
      const response = worded('method_not_allowed', request, record.requestId);
      response.headers.set('allow', 'GET, POST');
      endResponse(response);
    },
  };
}

/** Comes last of the plugins that parse requests. */
export function useNegotiation(): YogaPlugin {
  return {
    onRequestParse({ request, endResponse, fetchAPI }) {
      // Yoga looks only when there is an answer, and then a mutation has made its change already.
      if (!accepts(request, ANSWERS)) endResponse(new fetchAPI.Response(null, { status: 406 }));
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      if (framingFor(args.contextValue.request) !== null) return;
      setResultAndStopExecution({
        errors: [refusal('not_acceptable', messages.not_acceptable)],
      });
    },
    // Yoga says no word about these two.
    onResponse({ request, response, serverContext: { record }, setResponse }) {
      const code = codes[response.status];
      if (code === undefined || response.body !== null) return;
      record.outcomes.push(code);
      const answer = worded(code, request, record.requestId);
      response.headers.forEach((value, name) => void answer.headers.append(name, value));
      setResponse(answer);
    },
  };
}

const codes: Readonly<Record<number, Refused>> = {
  406: 'not_acceptable',
  415: 'unsupported_media_type',
};

const worded = (code: Refused, request: Request, requestId: string): Response =>
  errorResponse(new RequestRefused(code, messages[code]), request, requestId);

const accepts = ({ headers }: Request, types: readonly string[]): boolean =>
  preferred(headers.get('accept'), types) !== null;
