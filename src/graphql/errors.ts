/** Every error of an answer gets a code and the request's id; what nobody expected is masked and logged. */
import { type ExecutionResult, GraphQLError, isValueNode, Kind } from 'graphql';
import type { Log } from '../log.ts';
import { refusalOf } from '../outage.ts';
import { errorCodes, graphqlCode } from '../outcomes.ts';
import type { RequestRecord } from '../request-record.ts';
import { MASKED, type RefusalCode, refusals } from '../request-refused.ts';
import type { Limit } from './limits/maxima.ts';
import type { YogaPlugin } from './server-context.ts';

export function useErrorCodes(log: Log): YogaPlugin {
  return {
    onParse:
      () =>
      ({ result }) => {
        if (result instanceof GraphQLError) addCode(result, 'graphql_parse_failed');
      },
    onValidate:
      () =>
      ({ result }) => {
        for (const error of result) addCode(error, 'graphql_validation_failed');
      },
    onResultProcess({ result, setResult, serverContext }) {
      const publish = (one: ExecutionResult) => publicResult(one, serverContext.record, log);
      if (Array.isArray(result)) setResult(result.map(publish));
      else if (Symbol.asyncIterator in result) setResult(mapped(result, publish));
      else setResult(publish(result));
    },
  };
}

/** One thing that is wrong everywhere is told for each place of a list; nobody reads more of it. */
const MOST_ERRORS = 100;
/** What is longer is mostly quoted from the request. */
const LONGEST_MESSAGE = 600;
const LONGEST_WORD = 120;
const LONG_WORD = new RegExp(`\\S{${LONGEST_WORD + 1},}`, 'g');

/** A result whose errors may be shown to the caller. */
export function publicResult(
  result: ExecutionResult,
  record: RequestRecord,
  log: Log,
): ExecutionResult {
  const { outcomes } = record;
  if (result.errors === undefined) return result;
  const hasData = 'data' in result;
  const tooLarge = hasData ? result.errors.map(rootOf).find(isOfBytes) : undefined;
  if (tooLarge !== undefined) {
    outcomes.push('graphql_limit_exceeded');
    // A client that does not look would take half an answer for the whole.
    return { data: null, errors: [publicError(tooLarge, record, hasData, log)] };
  }
  const errors = result.errors
    .slice(0, MOST_ERRORS)
    .map((error) => publicError(error, record, hasData, log));
  for (const { extensions } of errors) outcomes.push(String(extensions.code).toLowerCase());
  return { ...result, errors };
}

/** What ends an operation whose answer has grown too large. */
const isOfBytes = (error: unknown): error is GraphQLError =>
  error instanceof GraphQLError && error.extensions.limit === ('bytes' satisfies Limit);

/** Rules of ours bring a code of their own along. */
function addCode({ extensions }: GraphQLError, code: RefusalCode): void {
  extensions.code ??= graphqlCode(code);
}

/** No generator: the return of one waits for the item that it is waiting for, and a reader that left would stay. */
function mapped<T, U>(source: AsyncIterable<T>, map: (item: T) => U): AsyncIterableIterator<U> {
  const items = source[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await items.next();
      return done === true ? { done, value: undefined } : { done: false, value: map(value) };
    },
    async return() {
      await items.return?.();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function publicError(
  error: GraphQLError,
  record: RequestRecord,
  hasData: boolean,
  log: Log,
): GraphQLError {
  const cause = rootOf(error);
  const refused = refusalOf(cause);
  const { code, message } =
    refused === null
      ? describe(error, cause)
      : { code: refused.code, message: shortened(refused.message) };
  if (code === 'internal_error') log.error({ err: cause, path: error.path }, 'request failed');
  if (code === 'service_unavailable') log.warn({ err: cause, path: error.path }, 'an outage');
  if (!hasData) record.retryAfterSeconds ??= refused?.retryAfterSeconds ?? null;
  // A router fails the whole supergraph query over a status, so one is set only where there is no data at all.
  const http = hasData
    ? {}
    : { http: { status: statusOf(code), ...httpOf(error), ...httpOfLimit(code) } };
  const { path, nodes, source, positions } = error;
  return new GraphQLError(message, {
    path: path ?? null,
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    extensions: {
      ...(cause instanceof GraphQLError ? cause.extensions : {}),
      ...http,
      code: graphqlCode(code),
      requestId: record.requestId,
    },
  });
}

function describe(
  error: GraphQLError,
  cause: unknown,
): { readonly code: string; readonly message: string } {
  const { code } = error.extensions;
  // A scalar's own word about a literal, which validation has passed on, and whatever else is wrong with the document.
  if (code === graphqlCode('graphql_validation_failed')) {
    return { code: 'graphql_validation_failed', message: shortened(error.message) };
  }
  if (isBadVariable(error)) return { code: 'bad_request', message: shortened(error.message) };
  if (!(cause instanceof GraphQLError) || isFaultOfOurs(error, cause)) {
    return { code: 'internal_error', message: MASKED };
  }
  return { code: codeOf(cause), message: shortened(error.message) };
}

/** Cuts a caller's long words; of a message that is still too long both ends are kept: where it is wrong, and what. */
function shortened(message: string): string {
  if (message.length <= LONGEST_WORD) return message;
  const words = message.replaceAll(LONG_WORD, (word) => `${word.slice(0, LONGEST_WORD)}…`);
  const half = LONGEST_MESSAGE / 2;
  const cut = `${words.slice(0, half)} … ${words.slice(-half)}`;
  return (words.length <= LONGEST_MESSAGE ? words : cut).toWellFormed();
}

/** Nothing has run yet: a variable has no value that fits, whatever says so (a scalar may throw anything). */
const isBadVariable = ({ path, nodes }: GraphQLError): boolean =>
  path === undefined && nodes?.[0]?.kind === Kind.VARIABLE_DEFINITION;

/** GraphQL speaks up while a field is resolved: only an argument can be the caller's fault then, a value is ours. */
function isFaultOfOurs({ path }: GraphQLError, { extensions, nodes }: GraphQLError): boolean {
  return path !== undefined && extensions.code === undefined && !nodes?.some(isValueNode);
}

/** The code of an error that GraphQL itself, Yoga or a resolver of ours made on purpose. */
function codeOf(error: GraphQLError): string {
  // Yoga's own code is BAD_REQUEST for every status.
  const { status } = httpOf(error);
  if (status === 405) return 'method_not_allowed';
  if (status === 413) return 'payload_too_large';
  if (status === 415) return 'unsupported_media_type';
  const given = String(error.extensions.code ?? '').toLowerCase();
  return errorCodes.includes(given) ? given : 'bad_request';
}

const isRefusalCode = (code: string): code is RefusalCode => Object.hasOwn(refusals, code);

/** A problem in place of a field's value is an answer. */
const statusOf = (code: string): number => (isRefusalCode(code) ? refusals[code] : 200);

/** Yoga answers malformed queries with 200 where a client accepts plain JSON (`spec`); limits are 400 for everybody. */
const httpOfLimit = (code: string) => (code === 'graphql_limit_exceeded' ? { spec: false } : {});

/** What Yoga and its plugins want said over HTTP (`extensions.http`). */
function httpOf(error: GraphQLError): { readonly status?: number } {
  const { http } = error.extensions;
  return typeof http === 'object' && http !== null ? http : {};
}

/** What was thrown first: GraphQL wraps it, once for each layer. */
function rootOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError !== undefined
    ? rootOf(error.originalError)
    : error;
}
