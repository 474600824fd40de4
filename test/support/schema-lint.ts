/** The rules of this schema, beyond what GraphQL itself demands. */
import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
} from 'graphql';

/** What federation and GraphQL themselves put into a schema. */
const foreign = /^_|^(?:link__|federation__)|^(?:String|Int|Float|Boolean|ID|FieldSet)$/;

const PascalCase = /^[A-Z][A-Za-z0-9]*$/;
const camelCase = /^[a-z][A-Za-z0-9]*$/;
const UPPER_CASE = /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/;

/** Every place where the schema breaks a rule, one line each. */
export function lintSchema(schema: GraphQLSchema): string[] {
  const types = Object.values(schema.getTypeMap()).filter(({ name }) => !foreign.test(name));
  return [...types.flatMap(lintType), ...lintMutations(schema)];
}

interface Described {
  readonly description?: string | null | undefined;
}

const described = (where: string, { description }: Described): string[] =>
  (description ?? '').trim() === '' ? [`${where} has no description`] : [];
const named = (where: string, name: string, style: RegExp, styleName: string): string[] =>
  style.test(name) ? [] : [`${where} is not named in ${styleName}`];

function lintType(type: GraphQLNamedType): string[] {
  const { name } = type;
  const own = [...described(name, type), ...named(name, name, PascalCase, 'PascalCase')];
  if (isEnumType(type)) {
    const values = type.getValues().flatMap((value) => {
      const where = `${name}.${value.name}`;
      return [...described(where, value), ...named(where, value.name, UPPER_CASE, 'UPPER_CASE')];
    });
    return [...own, ...values];
  }
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).flatMap((field) => {
      const where = `${name}.${field.name}`;
      return [
        ...described(where, field),
        ...named(where, field.name, camelCase, 'camelCase'),
        ...(holdsNulls(field.type) ? [`${where} is a list that may hold null`] : []),
      ];
    });
    return [...own, ...fields];
  }
  if (!isObjectType(type) && !isInterfaceType(type)) return own;
  const fields = Object.values(type.getFields()).filter((field) => !foreign.test(field.name));
  return [...own, ...fields.flatMap((field) => lintField(`${name}.${field.name}`, field))];
}

function lintField(where: string, field: GraphQLField<unknown, unknown>): string[] {
  const args = field.args.flatMap((arg) => [
    ...described(`${where}(${arg.name})`, arg),
    ...named(`${where}(${arg.name})`, arg.name, camelCase, 'camelCase'),
    ...(holdsNulls(arg.type) ? [`${where}(${arg.name}) is a list that may hold null`] : []),
  ]);
  const isNullableList = isListType(field.type);
  return [
    ...described(where, field),
    ...named(where, field.name, camelCase, 'camelCase'),
    ...(isNullableList ? [`${where} is a list that may be null`] : []),
    // Relay's `nodes` answers in the places of the ids.
    ...(holdsNulls(field.type) && where !== 'Query.nodes'
      ? [`${where} is a list that may hold null`]
      : []),
    ...(field.name === 'success' ? [`${where}: a union tells outcomes, not a flag`] : []),
    ...(field.deprecationReason != null && !/\buse\b/i.test(field.deprecationReason)
      ? [`${where} is deprecated without saying what to use`]
      : []),
    ...args,
  ];
}

function holdsNulls(type: GraphQLOutputType | Parameters<typeof getNullableType>[0]): boolean {
  const list = getNullableType(type);
  return isListType(list) && !isNonNullType(list.ofType);
}

/** `deletePack: DeletePackResult!`, a union of one success and problems that all are an `Error`. */
function lintMutations(schema: GraphQLSchema): string[] {
  const fields = Object.values(schema.getMutationType()?.getFields() ?? {});
  return fields.flatMap(({ name, type }) => {
    const where = `Mutation.${name}`;
    const result = getNullableType(type);
    if (!isNonNullType(type) || !isUnionType(result)) return [`${where} does not answer a union`];
    const expected = `${name.charAt(0).toUpperCase()}${name.slice(1)}Result`;
    const members = result.getTypes();
    const successes = members.filter(
      (member) => !member.getInterfaces().some((one) => one.name === 'Error'),
    );
    const untold = members.filter((member) => !result.description?.includes(`- ${member.name}: `));
    return [
      ...(result.name === expected ? [] : [`${where} answers ${result.name}, not ${expected}`]),
      ...(successes.length === 1 ? [] : [`${where} has ${successes.length} successes, not one`]),
      ...untold.map((member) => `${result.name} does not say when ${member.name} occurs`),
    ];
  });
}
