/** Operations that come again: what their first runs have settled is not done a second time. */
import { type DocumentNode, type ExecutionArgs, type GraphQLSchema, Kind } from 'graphql';
import { compileOperation, type Run } from './compile-operation.ts';
import type { Context } from './context.ts';
import { rootFields } from './operation-name.ts';
import type { YogaPlugin } from './server-context.ts';

/** Compiling costs as much as some ten executions, and a caller could send a new document each time. */
const RUNS_BEFORE = 3;
/** Compiled functions are large. When there are too many, all begin anew: a caller could make them come and go. */
const MOST_KEPT = 200;

/** A document with one operation, which was parsed, found valid and within the limits. */
export interface RepeatedOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly name: string | null;
  /** Its root fields, for the log. */
  readonly rootFields: string;
  readonly run: Run;
}

export class RepeatedOperations {
  readonly #byText = new Map<string, RepeatedOperation>();
  // Yoga's parse cache answers the same document for the same text, and forgets rare ones.
  #runs = new WeakMap<DocumentNode, number>();

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
    if (this.#byText.size >= MOST_KEPT) {
      this.#byText.clear();
      this.#runs = new WeakMap();
    }
    const repeated: RepeatedOperation = {
      schema,
      document,
      name: operation.name?.value ?? null,
      rootFields: rootFields(document, null),
      run: compileOperation(schema, document, operation),
    };
    this.#byText.set(text, repeated);
    return repeated;
  }
}
