/** What a request says of the forms that it and its answer have; refused before anything is run, and with a code. */
import type { RefusalCode } from '../request-refused.ts';
import { RequestRefused } from '../request-refused.ts';
import { refusal } from './refusal.ts';
import { refusedResponse } from './refused-response.ts';
import type { YogaPlugin } from './server-context.ts';

const STREAM = 'text/event-stream';
const ANSWERS = [
  'application/graphql-response+json',
  'application/json',
  STREAM,
  'multipart/mixed',
];

const messages = {
  not_acceptable: `Answers come as ${ANSWERS.join(', ')}, in UTF-8; those of a subscription as ${STREAM} only.`,
  unsupported_media_type: 'Send the operation as application/json.',
} as const satisfies Partial<Record<RefusalCode, string>>;

/** Comes last of the plugins that parse requests. */
export function useNegotiation(): YogaPlugin {
  return {
    onRequestParse({ request, requestParser, setRequestParser, endResponse, fetchAPI }) {
      // Yoga looks only when there is an answer, and then a mutation has made its change already.
      if (!accepts(request, ANSWERS)) endResponse(new fetchAPI.Response(null, { status: 406 }));
      if (requestParser === undefined) return;
      setRequestParser(async (one) => {
        try {
          const params = await requestParser(one);
          if (!Array.isArray(params) || params.length > 0) return params;
        } catch (error) {
          // Yoga parses the parameters of a URL or form without a word of its own.
          if (error instanceof SyntaxError)
            throw malformed('"variables" or "extensions" is no JSON.');
          throw error;
        }
        throw malformed('The body is an empty list and not an object with a "query".');
      });
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      if (accepts(args.contextValue.request, [STREAM])) return;
      setResultAndStopExecution({
        errors: [refusal('not_acceptable', messages.not_acceptable)],
      });
    },
    // Yoga says no word about these two.
    onResponse({ response, serverContext: { record }, setResponse }) {
      const code = codes[response.status];
      if (code === undefined || response.body !== null) return;
      record.outcomes.push(code);
      const refused = new RequestRefused(code, messages[code]);
      const worded = refusedResponse(refused, record.requestId);
      response.headers.forEach((value, name) => void worded.headers.append(name, value));
      setResponse(worded);
    },
  };
}

const codes: Readonly<Record<number, keyof typeof messages>> = {
  406: 'not_acceptable',
  415: 'unsupported_media_type',
};

const malformed = (message: string) => new RequestRefused('bad_request', message);

/** As Yoga reads the header: ranges without weights, and no charset but UTF-8. */
function accepts({ headers }: Request, types: readonly string[]): boolean {
  const ranges = (headers.get('accept') || '*/*').toLowerCase().replaceAll(/\s/g, '').split(',');
  return ranges.some((range) => {
    const [wanted = '', ...parameters] = range.split(';');
    const charset = parameters.find((parameter) => parameter.includes('charset='));
    return (
      (charset === undefined || charset === 'charset=utf-8') &&
      types.some((type) => wanted === type || wanted === '*/*' || wanted === typeRange(type))
    );
  });
}

const typeRange = (type: string) => type.replace(/\/.*/, '/*');
