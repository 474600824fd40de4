/** Operations that come again: what their first runs have settled is not done a second time. */
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  isLeafType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  TypeInfo,
  type TypeNode,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import type { Context } from './context.ts';
import { rootFields } from './operation-name.ts';
import type { YogaPlugin } from './server-context.ts';

/** Compiling costs as much as some ten executions, and a caller could send a new document each time. */
const RUNS_BEFORE = 3;
/** Compiled functions are large; the oldest are forgotten first. */
const MOST_KEPT = 200;

type Variables = Readonly<Record<string, unknown>>;
type Result = ExecutionResult | Promise<ExecutionResult>;

/** A document with one operation, which was parsed, found valid and within the limits. */
export interface RepeatedOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly name: string | null;
  /** Its root fields, for the log. */
  readonly rootFields: string;
  run(context: Context, variables: Variables): Result;
}

export class RepeatedOperations {
  readonly #byText = new Map<string, RepeatedOperation>();
  // Yoga's parse cache answers the same document for the same text, and forgets rare ones.
  readonly #runs = new WeakMap<DocumentNode, number>();

  /** Comes after the plugins that may refuse an operation. */
  readonly plugin: YogaPlugin = {
    onExecute: ({ args, setExecuteFn }) => {
      const { query } = args.contextValue.params;
      const runs = (this.#runs.get(args.document) ?? 0) + 1;
      this.#runs.set(args.document, runs);
      if (query === undefined || runs <= RUNS_BEFORE) return;
      const operation = this.#byText.get(query) ?? this.#keep(query, args);
      if (operation === null) return;
      setExecuteFn(({ contextValue, variableValues }: ExecutionArgs) =>
        // Yoga built it with `contextOf`.
        operation.run(contextValue as Context, variableValues ?? {}),
      );
    },
  };

  find(text: string): RepeatedOperation | undefined {
    return this.#byText.get(text);
  }

  #keep(text: string, { schema, document }: ExecutionArgs): RepeatedOperation | null {
    const operations = document.definitions.filter(
      (node) => node.kind === Kind.OPERATION_DEFINITION,
    );
    const [operation] = operations;
    if (operation === undefined || operations.length > 1) return null;
    const [oldest] = this.#byText.keys();
    if (this.#byText.size >= MOST_KEPT && oldest !== undefined) this.#byText.delete(oldest);
    const repeated: RepeatedOperation = {
      schema,
      document,
      name: operation.name?.value ?? null,
      rootFields: rootFields(document, null),
      run: compiled(schema, document, operation) ?? interpreted(schema, document),
    };
    this.#byText.set(text, repeated);
    return repeated;
  }
}

const interpreted =
  (schema: GraphQLSchema, document: DocumentNode): RepeatedOperation['run'] =>
  (contextValue, variableValues) =>
    // Of graphql 16's `execute`, whose type still says `PromiseOrValue`.
    execute({ schema, document, contextValue, variableValues }) as Result;

/**
 * A third less CPU on lists (bench/README.md), where the compiler gets it right: it forgets the default values in an
 * input object that comes as a variable, and that of a variable which may not be null.
 */
function compiled(
  schema: GraphQLSchema,
  document: DocumentNode,
  { operation, variableDefinitions = [] }: OperationDefinitionNode,
): RepeatedOperation['run'] | null {
  const isSafe =
    operation !== OperationTypeNode.SUBSCRIPTION &&
    !hidesVariable(schema, document) &&
    variableDefinitions.every(
      ({ type, defaultValue }) =>
        isLeafType(schema.getType(nameOf(type))) &&
        !(type.kind === Kind.NON_NULL_TYPE && defaultValue !== undefined),
    );
  const result = isSafe ? compileQuery(schema, document) : null;
  if (result === null || !isCompiledQuery(result)) return null;
  return (context, variables) => result.query(undefined, context, variables) as Result;
}

/** Whether a variable stands where the schema knows no type: within a literal that only its scalar understands. */
function hidesVariable(schema: GraphQLSchema, document: DocumentNode): boolean {
  const types = new TypeInfo(schema);
  let isHidden = false;
  const visitor = visitWithTypeInfo(types, {
    VariableDefinition: () => false,
    Variable: () => {
      isHidden ||= types.getInputType() == null;
    },
  });
  visit(document, visitor);
  return isHidden;
}

const nameOf = (type: TypeNode): string =>
  type.kind === Kind.NAMED_TYPE ? type.name.value : nameOf(type.type);
