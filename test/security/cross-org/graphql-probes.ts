/** Probes of every root field of the schema, of the arguments of fields below, and of `_entities`. */
import {
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  isUnionType,
} from 'graphql';
import type { PermissionSet } from '../../../src/model/api-key.entity.ts';
import type { Json } from '../../support/gateway.ts';
import {
  documentOf,
  graphqlRequest,
  type RootField,
  requiredValues,
  type Slot,
  slotsOf,
  withValue,
} from './graphql-operations.ts';
import type { Answer, Probe } from './prober.ts';
import { selectionOf } from './selection.ts';
import type { World } from './world.ts';

const DEPTH = 2;

const PROBED_IN_STREAMS = new Set([
  'packEvents.packId',
  'packEvents.types',
  'roleEvents.roleId',
  'roleEvents.types',
]);

/** One probe for each slot of each field of Query and Mutation. */
export function rootProbes(schema: GraphQLSchema, world: World, entities: Entities): Probe[] {
  for (const field of fieldsOf(schema.getSubscriptionType())) {
    // A stream has to be read otherwise than an answer: test/graphql/subscriptions.test.ts does so.
    const unknown = field.args.filter(
      ({ name }) => !PROBED_IN_STREAMS.has(`${field.name}.${name}`),
    );
    if (unknown.length > 0) throw new Error(`probe the arguments of ${field.name}`);
  }
  return (['query', 'mutation'] as const).flatMap((kind) => {
    const root = kind === 'query' ? schema.getQueryType() : schema.getMutationType();
    return fieldsOf(root).flatMap((field) =>
      slotsOf(field.args, `${root?.name}.${field.name}`).flatMap((slot) =>
        probesOf(schema, world, kind, field, slot, entities),
      ),
    );
  });
}

function probesOf(
  schema: GraphQLSchema,
  world: World,
  kind: 'query' | 'mutation',
  field: RootField,
  slot: Slot,
  entities: Entities,
): Probe[] {
  const texts = new Map<string, string>();
  /** It is the same for all values in the same places. */
  const textWith = (variables: object): string => {
    const names = Object.keys(variables).join(' ');
    const text = texts.get(names) ?? documentOf(schema, kind, field, variables, DEPTH);
    texts.set(names, text);
    return text;
  };
  const probe = (probed: Probe['kind'], label: string, placed: (value: string) => unknown) => ({
    name: `${kind} ${field.name}(${slot.path.join('.')}${label})`,
    kind: probed,
    // What is made of texts and images depends on rights in no other way than what ids do.
    byAll: probed === 'id' || probed === 'cursor',
    request(value: string) {
      const variables = withValue(requiredValues(field.args, world), slot, placed(value));
      return graphqlRequest(
        textWith(variables),
        variables,
        slot.kind === 'archive' ? value : undefined,
      );
    },
    refusal: (answer: Answer, asked: PermissionSet) =>
      errorIn(answer, asked) ?? (probed === 'id' ? somethingIn(answer) : null),
  });
  if (slot.kind === 'entity') {
    return entities.map(({ name, key }) =>
      probe('id', ` ${name}`, (id) => [{ __typename: name, [key]: id }]),
    );
  }
  if (slot.kind === 'archive') return [probe('text', ' name', () => null)];
  const alone = probe(slot.kind, '', (value) => value);
  if (!slot.isList) return [alone];
  const beside = probe(slot.kind, ', with an own one', (value) => [world.own.pack, value]);
  // Lists refuse as a whole; `nodes` answers each id in its own place.
  if (field.name !== 'nodes') return [alone, beside];
  const refusal = ({ body }: Answer) => (body.data.nodes[1] === null ? null : 'is something');
  return [alone, { ...beside, refusal }];
}

export type Entities = readonly { readonly name: string; readonly key: string }[];

/** Fields that take a path, which leads out of no pack. */
const insideAPack = new Set(['Pack.file', 'Pack.files']);

/** Probes of the arguments of fields below the roots, each asked for on the shortest way to its type. */
export function nestedProbes(schema: GraphQLSchema, world: World): Probe[] {
  const types = Object.values(schema.getTypeMap()).filter(isObjectType);
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  return types
    .filter((type) => !type.name.startsWith('__') && !roots.includes(type))
    .flatMap((type) =>
      fieldsOf(type).flatMap((field) =>
        slotsOf(field.args, `${type.name}.${field.name}`)
          // What a pack's file is called says nothing of any other pack.
          .filter(({ kind }) => kind !== 'text' || !insideAPack.has(`${type.name}.${field.name}`))
          .map(({ path, kind }) => {
            if (kind !== 'cursor' || path.length !== 1) {
              throw new Error(`probe ${type.name}.${field.name}(${path.join('.')}), a ${kind}`);
            }
            const [argument = ''] = path;
            const selected = `... on ${type.name} { ${field.name}(first: 5, ${argument}: $value)${selectionOf(schema, field.type, 2)} }`;
            const way = wayTo(schema, world, type);
            return {
              name: `${type.name}.${field.name}(${argument})`,
              kind,
              byAll: true,
              request: (value: string) => {
                const { query, variables } = way(selected);
                return graphqlRequest(query, { ...variables, value });
              },
              refusal: ({ text }: Answer, asked: PermissionSet) =>
                text.includes(`"${field.name}":{`) || (asked === 'READ_ONLY' && isDenied(text))
                  ? null
                  : 'did not get there',
            };
          }),
      ),
    );
}

/** From a root field to the first object of a type; reading is tried before changing. */
function wayTo(schema: GraphQLSchema, world: World, target: GraphQLObjectType) {
  for (const kind of ['query', 'mutation'] as const) {
    const root = kind === 'query' ? schema.getQueryType() : schema.getMutationType();
    for (let depth = 0; depth < 5; depth++) {
      for (const field of fieldsOf(root)) {
        const chain = field.name.startsWith('_') ? null : chainTo(field, target, depth);
        if (chain === null) continue;
        return (inner: string) => {
          const variables = requiredValues(field.args, world);
          const declared = field.args
            .filter(({ name }) => name in variables)
            .map(({ name, type }) => `$${name}: ${String(type)}`);
          const given = Object.keys(variables).map((name) => `${name}: $${name}`);
          const args = given.length === 0 ? '' : `(${given.join(', ')})`;
          const query = `${kind} (${[...declared, '$value: String'].join(', ')}) { ${field.name}${args} { ${chain(inner)} } }`;
          return { query, variables };
        };
      }
    }
  }
  throw new Error(`no way leads to ${target.name}: tell cross-org/graphql-probes.ts one`);
}

function chainTo(
  from: RootField,
  target: GraphQLObjectType,
  depth: number,
): ((inner: string) => string) | null {
  const type = getNamedType(from.type);
  const members = isUnionType(type) ? type.getTypes() : isObjectType(type) ? [type] : [];
  if (members.includes(target)) return (inner) => inner;
  if (depth === 0) return null;
  for (const member of members) {
    for (const field of fieldsOf(member)) {
      const chain = chainTo(field, target, depth - 1);
      if (chain !== null)
        return (inner) => `... on ${member.name} { ${field.name} { ${chain(inner)} } }`;
    }
  }
  return null;
}

const fieldsOf = (type: GraphQLObjectType | null | undefined): RootField[] =>
  Object.values(type?.getFields() ?? {}).filter(({ name }) => name !== '_service');

const isDenied = (text: string) => text.includes('"PERMISSION_DENIED"');

/** No answer but that of somebody who lacks the scope. */
function errorIn({ status, text, body }: Answer, asked: PermissionSet): string | null {
  if (status !== 200) return 'is an error';
  return body.errors === undefined || (asked !== 'OWNER' && isDenied(text)) ? null : 'is an error';
}

/** For a foreign id: null, an empty list, NotFound, or ValidationFailed where the id is one of several. */
const somethingIn = ({ body }: Answer): string | null =>
  body.data === null || Object.values(body.data).every(isNothing) ? null : 'is something';

function isNothing(value: Json): boolean {
  if (value === null) return true;
  if (Array.isArray(value)) return value.every(isNothing);
  if (value.nodes !== undefined) return value.nodes.length === 0 && value.totalCount === 0;
  return ['NotFound', 'ValidationFailed'].includes(value.__typename);
}
