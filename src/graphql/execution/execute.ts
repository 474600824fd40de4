/**
 * Executes operations as the GraphQL specification says (section 6), by a plan that is made once for each document.
 *
 * GraphQL's own executor works out anew, for every object of a list, which fields were asked for, with which arguments
 * and where in the answer it is. Here an item of a list costs little more than reading its properties. Nothing is
 * compiled: a plan is data (docs/decisions/0004-no-code-from-strings.md). Answers and errors are GraphQL's own to the
 * letter; test/graphql/execution.test.ts compares the two.
 */
import { RequestCache } from '@pothos/plugin-scope-auth';
import {
  type ExecutionArgs,
  type ExecutionResult,
  execute as executeUnplanned,
  GraphQLError,
  getOperationAST,
  getVariableValues,
} from 'graphql';
import type { YogaPlugin } from '../server-context.ts';
import { Execution } from './execution.ts';
import type { OperationPlan } from './plan.ts';
import { createPlanner } from './planner.ts';
import type { Maybe } from './values.ts';

/** As many as GraphQL's own executor tells. */
const MOST_ERRORS_OF_VARIABLES = 50;

export type Execute = (args: ExecutionArgs) => Maybe<ExecutionResult>;

/** Lets Yoga execute by plan. */
export function useExecutor(execute: Execute): YogaPlugin {
  return {
    onExecute({ args: { contextValue }, setExecuteFn }) {
      setExecuteFn(execute);
      // Its WeakMap would keep each context, and all that it holds, until V8's next full collection (bench/README.md).
      return { onExecuteDone: () => RequestCache.clearForContext(contextValue) };
    },
  };
}

/** An executor that keeps its plans as long as their documents are kept. */
export function createExecutor(): Execute {
  const planOf = createPlanner();
  return (args) => {
    const { schema, document } = args;
    const operation = getOperationAST(document, args.operationName);
    // Whatever keeps an operation from being run is worded by GraphQL itself.
    if (operation == null || schema.getRootType(operation.operation) == null) {
      return executeUnplanned(args);
    }
    const definitions = operation.variableDefinitions ?? [];
    const variables = getVariableValues(schema, definitions, args.variableValues ?? {}, {
      maxErrors: MOST_ERRORS_OF_VARIABLES,
    });
    if (variables.coerced === undefined) return { errors: variables.errors };
    const plan = planned(() => planOf(schema, document, operation, variables.coerced));
    if (plan instanceof GraphQLError) return { data: null, errors: [plan] };
    return new Execution(plan, args, variables.coerced).run();
  };
}

/** A plan, or what keeps one from being made: null for the condition of a root field, say. */
function planned(make: () => OperationPlan): OperationPlan | GraphQLError {
  try {
    return make();
  } catch (error) {
    if (error instanceof GraphQLError) return error;
    throw error;
  }
}
