/** How an operation is read from a request: by its method and media type, and only for a caller. */
import type { GraphQLParams } from 'graphql-yoga';
import { mediaTypeOf } from '../http/media-type.ts';
import { parseJson } from '../http/parse-json.ts';
import { isEncodedUtf8 } from '../http/percent-encoded.ts';
import { RequestRefused } from '../request-refused.ts';
import type { YogaPlugin } from './server-context.ts';

/** Comes before the plugins that change what is read. Yoga's own parsers are replaced, as they read without bounds. */
export function useRequestParams(): YogaPlugin {
  return {
    onRequestParse({ request, serverContext: { body }, setRequestParser }) {
      if (request.method === 'GET') {
        const search = request.url.replace(/^[^?]*\??/, '');
        setRequestParser(async () => fromSearch(search));
        return;
      }
      const parse = parsers[mediaTypeOf(request.headers.get('content-type'))];
      // Yoga puts its own parsers before ours, and has none where it has to answer 415.
      if (parse === undefined || body === undefined) return;
      setRequestParser(async () => parse(await body.text()));
    },
  };
}

const parsers: Readonly<Record<string, (text: string) => GraphQLParams | GraphQLParams[]>> = {
  'application/json': paramsOfJson,
  'application/graphql+json': paramsOfJson,
  'application/x-www-form-urlencoded': fromSearch,
  'application/graphql': (query) => ({ query }),
};

/** @throws RequestRefused `bad_request` where it is no operation, or list of them */
export function paramsOfJson(text: string): GraphQLParams | GraphQLParams[] {
  const body = parseJson('The body', text);
  if (!Array.isArray(body)) return paramsOf(body);
  if (body.length === 0) throw malformed('The body is an empty list.');
  return body.map(paramsOf);
}

/** Clients send five. */
const MOST_PARAMETERS = 100;

function fromSearch(text: string): GraphQLParams {
  if (text.split('&', MOST_PARAMETERS + 1).length > MOST_PARAMETERS) {
    throw malformed(`There are more than ${MOST_PARAMETERS} parameters.`);
  }
  if (!isEncodedUtf8(text)) throw malformed('The percent-encoding of the parameters is not UTF-8.');
  const { variables, extensions, ...params } = Object.fromEntries(new URLSearchParams(text));
  return paramsOf({
    ...params,
    ...(variables && { variables: parseJson('"variables"', variables) }),
    ...(extensions && { extensions: parseJson('"extensions"', extensions) }),
  });
}

/** The request parameters that GraphQL over HTTP knows; it lets a server ignore all others, which clients do send. */
const NAMES = ['query', 'variables', 'operationName', 'extensions', 'documentId'] as const;

/**
 * Of what a client sent the parameters that mean something here.
 * @throws RequestRefused `bad_request` where it is no object
 */
export function paramsOf(sent: unknown): GraphQLParams {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) {
    throw malformed('The body is not an object with a "query".');
  }
  const params: Record<string, unknown> = {};
  for (const name of NAMES) {
    const value: unknown = Object.hasOwn(sent, name) ? Reflect.get(sent, name) : undefined;
    // Some clients write an empty name for none.
    if (value != null && !(name === 'operationName' && value === '')) params[name] = value;
  }
  // Their types are checked by Yoga.
  return params;
}

const malformed = (message: string) => new RequestRefused('bad_request', message);
