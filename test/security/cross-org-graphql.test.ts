/** Tenancy of GraphQL, probed by what the schema itself says there is. */
import { type GraphQLSchema, isUnionType, Kind, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import type { Gateway } from '../support/gateway.ts';
import { dumpAll } from './cross-org/dump.ts';
import { schemaOf } from './cross-org/graphql-operations.ts';
import { type Entities, nestedProbes, rootProbes } from './cross-org/graphql-probes.ts';
import { Prober, probedDatabases } from './cross-org/prober.ts';
import { createWorld, VICTIM } from './cross-org/world.ts';

/** The types that routers may ask for by key, and that key. */
async function entitiesOf(gateway: Gateway, schema: GraphQLSchema): Promise<Entities> {
  const { data } = await gateway.graphql('{ _service { sdl } }');
  const union = schema.getType('_Entity');
  if (!isUnionType(union)) throw new Error('the schema has no entities');
  return union.getTypes().map(({ name }) => {
    const definition = parse(data._service.sdl).definitions.find(
      (one) => one.kind === Kind.OBJECT_TYPE_DEFINITION && one.name.value === name,
    );
    const directives =
      definition?.kind === Kind.OBJECT_TYPE_DEFINITION ? definition.directives : [];
    const keys = (directives ?? []).filter((one) => one.name.value === 'key');
    const fields = keys.map((one) => one.arguments?.find((arg) => arg.name.value === 'fields'));
    const [only, ...others] = fields.map(
      (arg) => arg?.value.kind === Kind.STRING && arg.value.value,
    );
    if (only === 'id' && others.length === 0) return { name, key: only };
    throw new Error(`${name} has other keys than id: probe them in cross-org-graphql.test.ts`);
  });
}

describe.each(probedDatabases)('on %s', (database) => {
  test('what belongs to another org and what does not exist get the same answer from every field', {
    timeout: 300_000,
  }, async () => {
    const world = await createWorld(database);
    const { gateway } = world;
    const schema = await schemaOf(gateway);
    const before = await dumpAll(gateway, VICTIM);
    expect(before.images).toHaveLength(4);
    const prober = new Prober(world);
    const entities = await entitiesOf(gateway, schema);
    const probes = [...rootProbes(schema, world, entities), ...nestedProbes(schema, world)];
    const order = ['id', 'cursor', 'image', 'text'];
    probes.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    const wrong: string[] = [];
    for (const probe of probes) wrong.push(...(await prober.probe(probe)));
    expect(wrong.map((one) => one.slice(0, 1_000))).toEqual([]);
    expect(probes.length).toBeGreaterThan(30);
    expect(prober.leaksInLog()).toEqual([]);
    expect(await dumpAll(gateway, VICTIM)).toEqual(before);
  });
});
