/**
 * The short way through GraphQL, for what is almost all traffic: one operation as JSON that has come before.
 *
 * Yoga answers everything else, and everything that goes wrong before an operation runs: only what it would have
 * answered with data is answered here (test/graphql/plain-operations.test.ts compares the two).
 */
import type { IncomingHttpHeaders } from 'node:http';
import { RequestCache } from '@pothos/plugin-scope-auth';
import { execute } from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';
import type { Foundation } from '../http/foundation.ts';
import type { RequestRecord } from '../request-record.ts';
import { unauthenticated } from './authentication.ts';
import { contextOf } from './context.ts';
import { publicResult } from './errors.ts';
import type { Limits } from './limits/use-limits.ts';
import type { PlainAnswer, PlainOperation } from './plain-answer.ts';
import type { RepeatedOperation, RepeatedOperations } from './repeated-operations.ts';
import { DOCUMENT_ID, type TrustedDocuments } from './trusted-documents.ts';

/** What decides whether, and how, an operation is run. */
interface Settled {
  readonly limits: Limits;
  readonly trusted: TrustedDocuments | null;
  readonly repeated: RepeatedOperations;
}

/** Answers, or leaves it to Yoga with null; the record's caller is known then. */
export type AnswerPlainOperation = (
  operation: PlainOperation,
  record: RequestRecord,
) => Promise<PlainAnswer | null>;

export function createPlainAnswers(
  foundation: Foundation,
  { limits, trusted, repeated }: Settled,
): AnswerPlainOperation {
  const { log } = foundation.world;
  const names = new Set(['query', 'variables', 'operationName', 'extensions']);
  if (trusted !== null) names.add(DOCUMENT_ID);
  const find = (params: Params): RepeatedOperation | null => {
    const text = trusted === null ? params.query : trusted.find(params);
    const operation = text == null ? undefined : repeated.find(text);
    const { operationName } = params;
    const isIt = operationName == null || operationName === operation?.name;
    return operation !== undefined && isIt ? operation : null;
  };
  return async ({ headers, body }, record) => {
    const contentType = contentTypeFor(headers);
    const params = paramsOf(body, names);
    const operation = params === null ? null : find(params);
    if (contentType === null || params === null || operation === null) return null;

    const { authorization = null } = headers;
    const caller = await foundation.authenticate(authorization, record);
    if (caller === null) return unauthenticated(record);
    record.caller = caller;
    const { schema, document } = operation;
    const variables = params.variables ?? {};
    if (limits.errorsOf({ schema, document, variableValues: variables }).length > 0) return null;
    record.operation = operation.rootFields;
    const context = contextOf(foundation, caller, record, authorization);
    const result = await execute({
      schema,
      document,
      contextValue: context,
      variableValues: variables,
    });
    // A WeakMap that has become old keeps its young entries, and all that they hold, until the next full collection.
    RequestCache.clearForContext(context);
    // Nothing was run: a variable has no value that fits.
    if (!('data' in result)) return null;
    const text = JSON.stringify(publicResult(result, record, log));
    return { status: 200, headers: { 'content-type': contentType }, body: text };
  };
}

/** As Yoga chooses it, the order of the list included; null where Yoga has to look, or to speak of origins to a browser. */
function contentTypeFor({ accept = '*/*', origin }: IncomingHttpHeaders): string | null {
  if (origin !== undefined || accept.includes('charset')) return null;
  for (const range of accept.toLowerCase().split(',')) {
    const [type = ''] = range.trim().split(';');
    if (type === 'application/graphql-response+json') return `${type}; charset=utf-8`;
    if (JSON_RANGES.has(type)) return 'application/json; charset=utf-8';
  }
  return null;
}

const JSON_RANGES = new Set(['application/json', 'application/*', '*/*']);

type Params = GraphQLParams<Record<string, unknown>>;

/** Null where Yoga has something to say about them. */
function paramsOf(body: string, names: ReadonlySet<string>): Params | null {
  const params = parsed(body);
  if (!isObject(params)) return null;
  for (const name in params) if (!names.has(name)) return null;
  const { query, variables, extensions } = params;
  const isWellFormed =
    (query === undefined || typeof query === 'string') &&
    (variables == null || isObject(variables)) &&
    (extensions == null || isObject(extensions));
  return isWellFormed ? params : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
