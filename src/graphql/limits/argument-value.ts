import { type FieldNode, Kind, type OperationDefinitionNode, valueFromASTUntyped } from 'graphql';
import type { Variables } from '../execution/plan.ts';

export interface Argument {
  /** Undefined where the caller left it out. */
  readonly value: unknown;
  readonly isVariable: boolean;
}

/** What a field's argument will be, a variable's default included; the argument's own default is not. */
export function argumentOf(
  field: FieldNode,
  name: string,
  operation: OperationDefinitionNode,
  variables: Variables,
): Argument {
  const given = field.arguments?.find((argument) => argument.name.value === name)?.value;
  if (given === undefined) return { value: undefined, isVariable: false };
  if (given.kind !== Kind.VARIABLE) {
    return { value: valueFromASTUntyped(given, variables), isVariable: false };
  }
  const variable = given.name.value;
  if (Object.hasOwn(variables, variable)) return { value: variables[variable], isVariable: true };
  const byDefault = operation.variableDefinitions?.find(
    (definition) => definition.variable.name.value === variable,
  )?.defaultValue;
  const value = byDefault === undefined ? undefined : valueFromASTUntyped(byDefault);
  return { value, isVariable: true };
}
