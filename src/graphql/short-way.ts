/**
 * The short way for almost all traffic: an operation as JSON whose document Yoga has run before.
 *
 * Yoga's hooks take longer than most operations (bench/README.md). Nothing is decided here: what its plugins are asked,
 * the same functions are asked; and whatever does not become data is left to Yoga, which reads the same body again.
 * test/graphql/repeated-operations.test.ts compares the two.
 */
import { RequestCache } from '@pothos/plugin-scope-auth';
import { type DocumentNode, getOperationAST, OperationTypeNode } from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';
import type { Foundation } from '../http/foundation.ts';
import { mediaTypeOf } from '../http/media-type.ts';
import type { Turn } from '../http/turns.ts';
import type { Caller } from '../identity/caller.ts';
import { type AnswerType, answerType } from './answer-type.ts';
import { answerOf } from './answers.ts';
import { refusedCaller } from './authentication.ts';
import { beginBody } from './bodies-in-turn.ts';
import { contextOf } from './context.ts';
import type { Documents } from './documents.ts';
import { publicResult } from './errors.ts';
import type { Execute } from './execution/execute.ts';
import type { Admitted, Limits } from './limits/use-limits.ts';
import { noteOperation } from './operation-name.ts';
import { paramsOfJson } from './request-params.ts';
import { schema } from './schema.ts';
import type { ServerContext, YogaPlugin } from './server-context.ts';
import type { TextOf } from './trusted-documents.ts';

/** What Yoga's plugins use as well. */
export interface Shared {
  readonly foundation: Foundation;
  readonly documents: Documents;
  readonly limits: Limits;
  readonly execute: Execute;
  /** The text of the operation that is asked for; null where there is something to say about how it is asked for. */
  readonly textOf: TextOf;
}

export class ShortWay {
  readonly #shared: Shared;
  /** Parsed, validated and run. */
  readonly #known = new WeakSet<DocumentNode>();

  constructor(shared: Shared) {
    this.#shared = shared;
  }

  /** Learns which documents may go this way. */
  readonly plugin: YogaPlugin = {
    onExecute: ({ args: { document } }) => void this.#known.add(document),
  };

  /** Answers, or leaves it to Yoga with null. */
  async answer(request: Request, serverContext: ServerContext): Promise<Response | null> {
    const type = typeOf(request);
    if (type === null) return null;
    const refused = await refusedCaller(this.#shared.foundation, request, serverContext.record);
    if (refused !== null) return refused;
    const params = await this.#paramsOf(request, serverContext).catch(() => null);
    return params === null ? null : this.#run(params, type, request, serverContext);
  }

  async #paramsOf(request: Request, serverContext: ServerContext): Promise<GraphQLParams | null> {
    await beginBody(this.#shared.foundation.bodies, request, serverContext);
    const text = await serverContext.body?.text();
    const params = text === undefined ? [] : paramsOfJson(text);
    return Array.isArray(params) || !isWellFormed(params) ? null : params;
  }

  async #run(
    { variables, operationName, ...params }: GraphQLParams,
    type: AnswerType,
    { headers }: Request,
    { record }: ServerContext,
  ): Promise<Response | null> {
    const { foundation, documents, limits, execute, textOf } = this.#shared;
    const text = textOf(params);
    const document = text === null ? undefined : documents.find(text);
    if (document === undefined || !this.#known.has(document) || record.caller === null) return null;
    const operation = getOperationAST(document, operationName);
    if (operation == null || operation.operation === OperationTypeNode.SUBSCRIPTION) return null;
    const variableValues = variables ?? null;
    const args = { schema, document, operationName: operationName ?? null, variableValues };
    const admission = limits.admit(args);
    if (admission.kind === 'refused') return null;
    const turn = await begun(limits, record.caller, admission);
    if (turn === null) return null;
    record.turn = turn;
    const context = contextOf(foundation, record.caller, record, headers.get('authorization'));
    noteOperation({ document, operationName }, record);
    const result = await execute({ ...args, contextValue: context });
    RequestCache.clearForContext(context);
    if (!('data' in result)) {
      // Nothing has run: a variable has no value that fits.
      turn[Symbol.dispose]();
      return null;
    }
    return answerOf(publicResult(result, record, foundation.world.log), type);
  }
}

/** The turn of an operation; null where there are too many, which Yoga finds as well, and tells. */
async function begun({ begin }: Limits, caller: Caller, admitted: Admitted): Promise<Turn | null> {
  try {
    return await begin(caller, admitted);
  } catch {
    return null;
  }
}

/** The form of the answer; null where Yoga has to look, or to speak of origins to a browser. */
function typeOf(request: Request): AnswerType | null {
  const { method, headers, url } = request;
  const isPlain =
    method === 'POST' &&
    url.endsWith('/graphql') &&
    headers.get('origin') === null &&
    mediaTypeOf(headers.get('content-type')) === 'application/json';
  return isPlain ? answerType(request) : null;
}

/** Whether Yoga would find nothing to say about the types of the parameters. */
const isWellFormed = ({ variables, operationName }: GraphQLParams): boolean =>
  (operationName === undefined || typeof operationName === 'string') &&
  (variables === undefined || (typeof variables === 'object' && !Array.isArray(variables)));
