/** Operations that come again: what their first runs have settled is not done a second time. */
import { type DocumentNode, type ExecutionArgs, type GraphQLSchema, Kind } from 'graphql';
import type { Documents } from './documents.ts';
import { rootFields } from './operation-name.ts';
import type { YogaPlugin } from './server-context.ts';

/** A document with one operation, which was parsed, found valid and within the limits. */
export interface RepeatedOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  readonly name: string | null;
  /** Its root fields, for the log. */
  readonly rootFields: string;
}

export class RepeatedOperations {
  readonly #documents: Documents;
  /** Of documents that are known still. */
  readonly #operations = new WeakMap<DocumentNode, RepeatedOperation>();

  constructor(documents: Documents) {
    this.#documents = documents;
  }

  /** Comes after the plugins that may refuse an operation. */
  readonly plugin: YogaPlugin = {
    onExecute: ({ args }) => {
      if (!this.#operations.has(args.document)) this.#keep(args);
    },
  };

  find(text: string): RepeatedOperation | undefined {
    const document = this.#documents.find(text);
    return document && this.#operations.get(document);
  }

  #keep({ schema, document }: ExecutionArgs): void {
    const operations = document.definitions.filter(
      (node) => node.kind === Kind.OPERATION_DEFINITION,
    );
    const [operation] = operations;
    if (operation === undefined || operations.length > 1) return;
    this.#operations.set(document, {
      schema,
      document,
      name: operation.name?.value ?? null,
      rootFields: rootFields(document, null),
    });
  }
}
