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
import type { YogaPlugin } from '../server-context.ts';
import type { Variables } from './argument-value.ts';
import { errorsOfLargeVariables } from './bounded-variables.ts';
import { type Limit, limitExceeded, maximumOf } from './maxima.ts';
import { measureOperation, type OperationMeasure } from './measure-operation.ts';

/** What is known of a document without its variables: kept as long as Yoga keeps the document itself. */
interface Verdict {
  readonly refused: GraphQLError | null;
  /** The operations whose size their variables decide. */
  readonly undecided: ReadonlySet<OperationDefinitionNode>;
}

/** What an operation is about to be run with. */
interface Operation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly operationName?: string | null;
  readonly variableValues?: Variables | null;
}

export interface Limits {
  readonly plugin: YogaPlugin;
  /** Why an operation of a valid document must not run with these variables; none where it may. */
  errorsOf(operation: Operation): readonly GraphQLError[];
}

export function createLimits(): Limits {
  const verdicts = new WeakMap<DocumentNode, Verdict>();
  const verdictOn = (schema: GraphQLSchema, document: DocumentNode): Verdict => {
    const verdict = verdicts.get(document) ?? judge(schema, document);
    verdicts.set(document, verdict);
    return verdict;
  };
  const errorsOf = (operation: Operation) => {
    const refused = judgeVariables(operation, verdictOn(operation.schema, operation.document));
    return refused === null
      ? errorsOfLargeVariables(operation, operation.variableValues ?? {})
      : [refused];
  };
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
      const errors = errorsOf(args);
      if (errors.length > 0) setResultAndStopExecution({ errors });
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const errors = errorsOf(args);
      if (errors.length > 0) setResultAndStopExecution({ errors });
    },
  };
  return { plugin, errorsOf };
}

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
  const undecided = new Set<OperationDefinitionNode>();
  let refused = firstBeyond({ aliases, directives });
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    const measure = measureOperation(schema, document, definition, {});
    if (measure.dependsOnVariables) undecided.add(definition);
    refused ??= measure.dependsOnVariables
      ? firstBeyond({ depth: measure.depth, rootFields: measure.rootFields })
      : firstBeyond(limitsOf(measure));
  }
  return { refused, undecided };
}

function judgeVariables(args: Operation, { undecided }: Verdict): GraphQLError | null {
  if (undecided.size === 0) return null;
  const operation = getOperationAST(args.document, args.operationName);
  if (operation == null || !undecided.has(operation)) return null;
  const variables = args.variableValues ?? {};
  return firstBeyond(limitsOf(measureOperation(args.schema, args.document, operation, variables)));
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
