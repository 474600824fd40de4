/** Keeps the plans of documents, for they are made once and asked for with each request. */
import {
  type DirectiveNode,
  type DocumentNode,
  GraphQLIncludeDirective,
  type GraphQLSchema,
  GraphQLSkipDirective,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import { tokensOf } from '../documents.ts';
import { type OperationPlan, planOperation, type Variables } from './plan.ts';

/** Different values of the variables in `@skip` and `@include` need plans of their own; more than these begin anew. */
const MOST_PLANS_OF_A_DOCUMENT = 8;

/**
 * Fields in all plans of a document together, for each token of it: with fragments within fragments, a short document has
 * tens of thousands. Half a KiB each, so that what is kept stays what `documents.ts` counts on.
 */
const MOST_FIELDS_OF_A_TOKEN = 2;

/** What finds the plan of an operation of a valid document, or makes it; kept as long as the document is. */
export function createPlanner() {
  const plansOf = new WeakMap<DocumentNode, Plans>();
  return (
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Variables,
  ): OperationPlan => {
    let plans = plansOf.get(document);
    if (plans === undefined) {
      plans = new Plans(document);
      plansOf.set(document, plans);
    }
    return plans.of(schema, operation, variables);
  };
}

/** The plans of one document. */
class Plans {
  readonly #document: DocumentNode;
  /** The variables that decide which fields there are. */
  readonly #conditions: readonly string[];
  readonly #mostFields: number;
  /** By the operation's name and the values of these. */
  readonly #plans = new Map<string, OperationPlan>();
  #fields = 0;

  constructor(document: DocumentNode) {
    this.#document = document;
    this.#conditions = conditionVariables(document);
    this.#mostFields = MOST_FIELDS_OF_A_TOKEN * tokensOf(document);
  }

  of(schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Variables) {
    // Where a variable is a condition it is a Boolean. What another operation has under its name decides nothing.
    const values = this.#conditions.map((name) => letterOf(variables[name]));
    const key = `${operation.name?.value ?? ''} ${values.join('')}`;
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    if (this.#plans.size >= MOST_PLANS_OF_A_DOCUMENT) this.#forget();
    const plan = planOperation(schema, this.#document, operation, variables, () => this.#count());
    this.#plans.set(key, plan);
    return plan;
  }

  /** Plans grow while they are executed; the execution keeps its own. */
  #count(): void {
    this.#fields += 1;
    if (this.#fields > this.#mostFields) this.#forget();
  }

  #forget(): void {
    this.#plans.clear();
    this.#fields = 0;
  }
}

function letterOf(value: unknown): string {
  return value === true ? 't' : value === false ? 'f' : '-';
}

/** Whether a directive decides if a field is there. */
export const isCondition = ({ name }: DirectiveNode): boolean =>
  name.value === GraphQLSkipDirective.name || name.value === GraphQLIncludeDirective.name;

/** The names of the variables that decide which fields an operation has. */
function conditionVariables(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    Directive(node) {
      if (!isCondition(node)) return;
      for (const { value } of node.arguments ?? []) {
        if (value.kind === Kind.VARIABLE) names.add(value.name.value);
      }
    },
  });
  return [...names];
}
