/** Operations that come again: what their first runs have settled is not done a second time. */
import { type DocumentNode, type ExecutionArgs, type GraphQLSchema, Kind } from 'graphql';
import { rootFields } from './operation-name.ts';
import type { YogaPlugin } from './server-context.ts';

/** When there are too many, all begin anew: a caller could make them come and go. */
const MOST_KEPT = 200;

/** A document with one operation, which was parsed, found valid and within the limits. */
export interface RepeatedOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly name: string | null;
  /** Its root fields, for the log. */
  readonly rootFields: string;
}

export class RepeatedOperations {
  readonly #byText = new Map<string, RepeatedOperation>();

  /** Comes after the plugins that may refuse an operation. */
  readonly plugin: YogaPlugin = {
    onExecute: ({ args }) => {
      const { query } = args.contextValue.params;
      if (query !== undefined && !this.#byText.has(query)) this.#keep(query, args);
    },
  };

  find(text: string): RepeatedOperation | undefined {
    return this.#byText.get(text);
  }

  #keep(text: string, { schema, document }: ExecutionArgs): void {
    const operations = document.definitions.filter(
      (node) => node.kind === Kind.OPERATION_DEFINITION,
    );
    const [operation] = operations;
    if (operation === undefined || operations.length > 1) return;
    if (this.#byText.size >= MOST_KEPT) this.#byText.clear();
    this.#byText.set(text, {
      schema,
      document,
      name: operation.name?.value ?? null,
      rootFields: rootFields(document, null),
    });
  }
}
