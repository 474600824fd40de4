/** Refuses what asks for too much, before validation and execution could spend anything on it. */
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type OperationDefinitionNode,
  type ParseOptions,
  parse,
  Source,
  validate,
  visit,
} from 'graphql';
import type { Turn, Turns } from '../../http/turns.ts';
import type { Caller } from '../../identity/caller.ts';
import type { Variables } from '../execution/plan.ts';
import type { ServerContext, YogaPlugin } from '../server-context.ts';
import { type Amount, nothing } from './amount.ts';
import { errorsOfLargeVariables, sizeOfVariables } from './bounded-variables.ts';
import { type Limit, limitExceeded, maximumOf } from './maxima.ts';
import { measureOperation, type OperationMeasure } from './measure-operation.ts';

/** What is known of a document without its variables: kept as long as Yoga keeps the document itself. */
interface Verdict {
  readonly refused: GraphQLError | null;
  readonly measures: ReadonlyMap<OperationDefinitionNode, OperationMeasure>;
}

/** What an operation is about to be run with. */
interface Operation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName?: string | null;
  readonly variableValues?: Variables | null;
}

/** Whether an operation may run with its variables, and what it then costs at most. */
type Admission = Admitted | Refused;
export interface Admitted {
  readonly kind: 'admitted';
  readonly amount: Amount;
}
interface Refused {
  readonly kind: 'refused';
  readonly errors: readonly GraphQLError[];
}

export interface Limits {
  readonly plugin: YogaPlugin;
  /** Judges an operation of a valid document. */
  admit(operation: Operation): Admission;
  /** Waits until it is the turn of an operation that was admitted. */
  begin(caller: Caller, admitted: Admitted): Turn | Promise<Turn>;
}

/** @param turns of operations, by their shares; a caller's own wait for each other */
export function createLimits(turns: Turns): Limits {
  const verdicts = new WeakMap<DocumentNode, Verdict>();
  const verdictOn = (schema: GraphQLSchema, document: DocumentNode): Verdict => {
    const verdict = verdicts.get(document) ?? judge(schema, document);
    verdicts.set(document, verdict);
    return verdict;
  };
  const admit = (operation: Operation): Admission => {
    const { schema, document, operationName, variableValues } = operation;
    const node = getOperationAST(document, operationName);
    const known = node == null ? undefined : verdictOn(schema, document).measures.get(node);
    // GraphQL says itself that there is no such operation.
    if (node == null || known === undefined) return { kind: 'admitted', amount: nothing };
    const variables = variableValues ?? {};
    const measure = known.dependsOnVariables
      ? measureOperation(schema, document, node, variables)
      : known;
    const refused = firstBeyond(limitsOf(measure));
    const errors = refused === null ? errorsOfLargeVariables(operation, variables) : [refused];
    return errors.length > 0
      ? { kind: 'refused', errors }
      : { kind: 'admitted', amount: measure.amount };
  };
  const begin = (caller: Caller, { amount }: Admitted) => turns.begin(caller, shareOf(amount));
  const plugin: YogaPlugin = {
    onRequestParse: () => ({
      onRequestParseDone({ requestParserResult }) {
        if (!Array.isArray(requestParserResult)) return;
        throw limitExceeded('operations', requestParserResult.length);
      },
    }),
    onParse({ setParseFn }) {
      setParseFn(parseUpToLimit);
    },
    onValidate({ params: { schema, documentAST }, setResult, setValidationFn }) {
      const { refused } = verdictOn(schema, documentAST);
      if (refused !== null) setResult([refused]);
      setValidationFn(validateUpToLimit);
    },
    onExecute({ args, setResultAndStopExecution }) {
      const admission = admit(args);
      if (admission.kind === 'refused')
        return setResultAndStopExecution({ errors: admission.errors });
      const { record }: ServerContext = args.contextValue;
      if (record.caller === null) return;
      const turn = begin(record.caller, admission);
      if (!(turn instanceof Promise)) {
        record.turn = turn;
        return;
      }
      return turn.then((begun) => {
        record.turn = begun;
      });
    },
    // Takes no turn, which would last as long as the stream: what it keeps and what an event costs are bounded instead.
    onSubscribe({ args, setResultAndStopExecution }) {
      const admission = admit(args);
      if (admission.kind === 'refused')
        return setResultAndStopExecution({ errors: admission.errors });
      const { fields, rows } = admission.amount;
      const refused = firstBeyond({
        event: Math.max(fields, rows),
        subscription:
          (args.document.loc?.source.body.length ?? 0) + sizeOfVariables(args.variableValues ?? {}),
      });
      if (refused !== null) setResultAndStopExecution({ errors: [refused] });
    },
  };
  return { plugin, admit, begin };
}

/** What an operation costs, as a part of the limit that it comes nearest to. */
const shareOf = ({ fields, rows, bytes, counted }: Amount): number =>
  Math.min(
    1,
    Math.max(
      fields / maximumOf('cost'),
      rows / maximumOf('rows'),
      (bytes + counted) / maximumOf('bytes'),
    ),
  );

function parseUpToLimit(source: string | Source, options?: ParseOptions): DocumentNode {
  const { length } = source instanceof Source ? source.body : source;
  if (length > maximumOf('characters')) throw limitExceeded('characters', length);
  const maxTokens = maximumOf('tokens');
  try {
    return parse(source, { ...options, maxTokens });
  } catch (error) {
    if (error instanceof GraphQLError && error.message.includes(`${maxTokens} tokens`)) {
      throw limitExceeded('tokens', maxTokens + 1);
    }
    throw error;
  }
}

/** Nobody reads more of them, and each may quote the document. */
const MOST_VALIDATION_ERRORS = 10;

const validateUpToLimit: typeof validate = (schema, document, rules) =>
  validate(schema, document, rules, { maxErrors: MOST_VALIDATION_ERRORS });

function judge(schema: GraphQLSchema, document: DocumentNode): Verdict {
  let aliases = 0;
  let directives = 0;
  visit(document, {
    Field(node) {
      if (node.alias !== undefined) aliases += 1;
    },
    Directive() {
      directives += 1;
    },
  });
  const measures = new Map<OperationDefinitionNode, OperationMeasure>();
  let refused = firstBeyond({ aliases, directives });
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const measure = measureOperation(schema, document, definition, {});
    measures.set(definition, measure);
    refused ??= measure.dependsOnVariables
      ? firstBeyond({ depth: measure.depth, rootFields: measure.rootFields })
      : firstBeyond(limitsOf(measure));
  }
  return { refused, measures };
}

const limitsOf = ({ amount, depth, rootFields, pageSize, representations }: OperationMeasure) => ({
  depth,
  rootFields,
  pageSize,
  representations,
  cost: amount.fields,
  rows: amount.rows,
  bytes: amount.bytes,
});

function firstBeyond(measured: Partial<Record<Limit, number>>): GraphQLError | null {
  for (const [limit, actual] of Object.entries(measured)) {
    // Object.entries widens the keys, which the parameter's type names.
    if (actual > maximumOf(limit as Limit)) return limitExceeded(limit as Limit, actual);
  }
  return null;
}
