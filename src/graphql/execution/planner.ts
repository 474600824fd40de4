/** Keeps the plans of documents, for they are made once and asked for with each request. */
import {
  type DocumentNode,
  GraphQLIncludeDirective,
  type GraphQLSchema,
  GraphQLSkipDirective,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import { type OperationPlan, planOperation, type Variables } from './plan.ts';

/** Different values of the variables in `@skip` and `@include` need plans of their own; more than these begin anew. */
const MOST_PLANS_OF_A_DOCUMENT = 8;

/** What finds the plan of an operation of a valid document, or makes it; kept as long as the document is. */
export function createPlanner() {
  const plansOf = new WeakMap<DocumentNode, Plans>();
  return (
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Variables,
  ): OperationPlan => {
    let known = plansOf.get(document);
    if (known === undefined) {
      known = { conditions: conditionVariables(document), plans: new Map() };
      plansOf.set(document, known);
    }
    const values = known.conditions.map((name) => String(variables[name]));
    const key = [operation.name?.value ?? '', ...values].join(' ');
    let plan = known.plans.get(key);
    if (plan === undefined) {
      if (known.plans.size >= MOST_PLANS_OF_A_DOCUMENT) known.plans.clear();
      plan = planOperation(schema, document, operation, variables);
      known.plans.set(key, plan);
    }
    return plan;
  };
}

interface Plans {
  /** The variables that decide which fields there are. */
  readonly conditions: readonly string[];
  /** By the operation's name and the values of these. */
  readonly plans: Map<string, OperationPlan>;
}

/** The names of the variables that decide which fields an operation has. */
function conditionVariables(document: DocumentNode): readonly string[] {
  const names = new Set<string>();
  visit(document, {
    Directive(node) {
      const { name } = node;
      if (name.value !== GraphQLSkipDirective.name && name.value !== GraphQLIncludeDirective.name) {
        return;
      }
      for (const { value } of node.arguments ?? []) {
        if (value.kind === Kind.VARIABLE) names.add(value.name.value);
      }
    },
  });
  return [...names];
}
