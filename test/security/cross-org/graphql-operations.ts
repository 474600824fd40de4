/** Operations made of the schema that the gateway serves: a root field, values for its arguments, all that it gives. */
import {
  buildClientSchema,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLSchema,
  getIntrospectionQuery,
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { samplePack } from '../../support/archives.ts';
import type { Gateway, Json } from '../../support/gateway.ts';
import type { Probe } from './prober.ts';
import { selectionOf } from './selection.ts';
import type { World } from './world.ts';

export const schemaOf = async (gateway: Gateway): Promise<GraphQLSchema> =>
  buildClientSchema((await gateway.graphql(getIntrospectionQuery())).data);

export type RootField = GraphQLField<unknown, unknown>;
type Input = GraphQLArgument | GraphQLInputField;

/** Where in the variables a value of another org can be put, and what goes there. */
export interface Slot {
  readonly path: readonly string[];
  readonly kind: Probe['kind'] | 'entity' | 'archive';
  /** A list around the value. */
  readonly isList: boolean;
}

/** What callers write into an argument of type String, by its name. */
const strings: Readonly<Record<string, Probe['kind']>> = {
  after: 'cursor',
  before: 'cursor',
  subjectId: 'id',
  imageRef: 'image',
  name: 'text',
  displayName: 'text',
  description: 'text',
  label: 'text',
  category: 'text',
  nameContains: 'text',
  names: 'text',
  path: 'text',
  under: 'text',
};

/** Types with nothing of an org in them, and a value of each. */
const harmless: Readonly<Record<string, unknown>> = {
  Int: 5,
  Boolean: true,
  DateTime: '2020-01-01T00:00:00Z',
};

let made = 0;

/** A valid value of the prober's own for a required id. */
function ownId({ name, description }: Input, { own }: World): string {
  const prefix = /\b([a-z]+)_…/.exec(description ?? '')?.[1] ?? name.replace(/Ids?$/, '');
  if (prefix === 'role' || prefix === 'pack' || prefix === 'key') return own[prefix];
  // An id of any node.
  if (name === 'id') return own.pack;
  throw new Error(`say in cross-org/graphql-operations.ts which id goes into ${name}`);
}

const kindOf = (input: Input, where: string): Slot['kind'] | null => {
  const { name: type } = getNamedType(input.type);
  if (isEnumType(getNamedType(input.type)) || type in harmless) return null;
  if (type === 'ID') return 'id';
  if (type === '_Any') return 'entity';
  if (type === 'File') return 'archive';
  const kind = type === 'String' ? strings[input.name] : undefined;
  if (kind !== undefined) return kind;
  throw new Error(
    `${where}: ${String(input.type)} is new: say in cross-org/graphql-operations.ts whether callers write an id, a cursor, an image reference or a text there`,
  );
};

const isRequired = (input: Input): boolean =>
  'astNode' in input && 'args' in input
    ? false
    : isRequiredInputField(input as GraphQLInputField) ||
      isRequiredArgument(input as GraphQLArgument);

/** Every place for a value of another org in these arguments, nested ones included. */
export function slotsOf(
  inputs: readonly Input[],
  where: string,
  path: readonly string[] = [],
): Slot[] {
  return inputs.flatMap((input) => {
    const here = [...path, input.name];
    const type = getNamedType(input.type);
    if (isInputObjectType(type)) {
      return slotsOf(Object.values(type.getFields()), `${where}.${input.name}`, here);
    }
    const kind = kindOf(input, `${where}(${input.name})`);
    const isList = isListType(getNullableType(input.type));
    return kind === null ? [] : [{ path: here, kind, isList }];
  });
}

/** The prober's own values for what is required. */
export function requiredValues(inputs: readonly Input[], world: World): Record<string, unknown> {
  return Object.fromEntries(
    inputs.filter(isRequired).map((input) => [input.name, required(input, input.type, world)]),
  );
}

function required(input: Input, type: GraphQLInputType, world: World): unknown {
  const named = getNamedType(type);
  if (isListType(getNullableType(type))) return [];
  if (isInputObjectType(named)) return requiredValues(Object.values(named.getFields()), world);
  if (isEnumType(named)) return named.getValues()[0]?.name;
  if (named.name in harmless) return harmless[named.name];
  switch (kindOf(input, input.name)) {
    case 'id':
      return ownId(input, world);
    case 'archive':
      return null;
    case 'image':
      return 'packs/default/own-used:1.0.0';
    default:
      made += 1;
      return `probe-${made}`;
  }
}

/** The variables with a value at the slot. */
export function withValue(variables: object, { path, isList }: Slot, value: unknown): Json {
  const all: Json = structuredClone(variables);
  let inner = all;
  for (const name of path.slice(0, -1)) inner = inner[name] ??= {};
  inner[path.at(-1) ?? ''] = isList && !Array.isArray(value) ? [value] : value;
  return all;
}

/** The text of an operation on one root field, for those arguments that there are variables for. */
export function documentOf(
  schema: GraphQLSchema,
  kind: 'query' | 'mutation' | 'subscription',
  { name, args, type }: RootField,
  variables: object,
  depth: number,
): string {
  const used = args.filter((arg) => arg.name in variables);
  const declared = used.map((arg) => `$${arg.name}: ${String(arg.type)}`).join(', ');
  const given = used.map((arg) => `${arg.name}: $${arg.name}`).join(', ');
  const call = `${name}${given === '' ? '' : `(${given})`}${selectionOf(schema, type, depth)}`;
  return `${kind}${declared === '' ? '' : ` (${declared})`} { ${call} }`;
}

/** @param packName where a File is asked for: an archive of a pack of this name goes there */
export function graphqlRequest(query: string, variables: Json, packName?: string): Request {
  const url = 'http://gateway/graphql';
  const wantsFile = 'archive' in variables || 'content' in variables;
  if (packName === undefined && !wantsFile) {
    const headers = { 'content-type': 'application/json' };
    return new Request(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query, variables }),
    });
  }
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables }));
  const place = 'content' in variables ? 'variables.content' : 'variables.archive';
  form.set('map', JSON.stringify({ file: [place] }));
  form.set(
    'file',
    new File([new Uint8Array(samplePack({ name: packName ?? 'own-used' }))], 'pack.tar.gz'),
  );
  return new Request(url, { method: 'POST', body: form });
}
