/** Whatever is asked: what is accepted answers no more than its budget said before it was run. */
import {
  type GraphQLField,
  type GraphQLOutputType,
  getNamedType,
  getOperationAST,
  isAbstractType,
  isLeafType,
  isObjectType,
  parse,
} from 'graphql';
import { expect, test } from 'vitest';
import { measureOperation } from '../../src/graphql/limits/measure-operation.ts';
import { priceOf } from '../../src/graphql/limits/price.ts';
import { schema } from '../../src/graphql/schema.ts';
import { type Random, randomFrom } from '../chaos/random.ts';
import { insertUnmanagedPack, role } from '../support/deletion.ts';
import { isSweep } from '../support/extent.ts';
import { type Json, startGateway } from '../support/gateway.ts';

/** The seeds that operations are made of. */
const FIRST = isSweep ? 101 : 1;
const OPERATIONS = isSweep ? 400 : 100;
/** Read from the registry, which holds none of these packs. */
const ELSEWHERE = new Set(['files', 'file']);
/** The start of the alias of every field whose text counts when it is answered. */
const COUNTED = 'counted_';

test('no accepted operation answers more fields, rows or bytes than it was measured to have', async () => {
  const gateway = await startGateway();
  const packs: string[] = [];
  for (let at = 0; at < 30; at++)
    packs.push(await insertUnmanagedPack(gateway, { name: `p${at}` }));
  await gateway.app.world.database.query(
    `update packs set capabilities = repeat('"', 2000), description = repeat('d', 900) where org_id is not null`,
    [],
  );
  const roles: string[] = [];
  for (let at = 0; at < 20; at++) roles.push(await role(gateway, `r${at}`, packs.slice(0, 25)));
  const ids = [...packs, ...roles, 'pack_none'];

  let accepted = 0;
  for (let seed = FIRST; seed < FIRST + OPERATIONS; seed++) {
    const random = randomFrom(seed);
    const query = `{ ${fieldsOf(schema.getQueryType(), random, 4, ids)} }`;
    const { data, errors } = await gateway.graphql(query);
    if (errors !== undefined) {
      expect(errors[0].extensions.code, query).toBe('GRAPHQL_LIMIT_EXCEEDED');
      continue;
    }
    accepted += 1;
    const document = parse(query);
    const operation = getOperationAST(document);
    if (operation == null) throw new Error('there is no operation');
    const { amount } = measureOperation(schema, document, operation, {});
    const answered = { fields: 0, rows: 0, bytes: Buffer.byteLength(JSON.stringify(data)) };
    count(data, answered);
    expect({ query, ...answered }).toSatisfy(
      () =>
        answered.fields <= amount.fields &&
        answered.rows <= amount.rows &&
        answered.bytes <= amount.bytes,
      JSON.stringify(amount),
    );
  }
  expect(accepted).toBeGreaterThan(OPERATIONS / 4);
});

/** Takes what counts when it is answered out of the bytes, and counts as rows what has come as an item of a page. */
function count(value: Json, into: { fields: number; rows: number; bytes: number }): void {
  if (Array.isArray(value)) for (const one of value) count(one, into);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  for (const [key, inner] of Object.entries<Json>(value)) {
    into.fields += 1;
    if (key.endsWith('nodes') && Array.isArray(inner)) into.rows += inner.length;
    if (key.startsWith(COUNTED)) into.bytes -= Buffer.byteLength(JSON.stringify(inner));
    else count(inner, into);
  }
}

function fieldsOf(
  type: GraphQLOutputType | null | undefined,
  random: Random,
  depth: number,
  ids: readonly string[],
): string {
  if (!isObjectType(type)) return '__typename';
  const all = Object.values(type.getFields()).filter(
    ({ name, type: of }) =>
      !name.startsWith('_') && !ELSEWHERE.has(name) && (depth > 0 || isLeafType(getNamedType(of))),
  );
  const chosen = all.filter(() => random.next() < 0.4);
  const parts = chosen.map((field, at) => fieldOf(field, at, random, depth, ids));
  return ['__typename', ...parts].join(' ');
}

function fieldOf(
  field: GraphQLField<unknown, unknown>,
  at: number,
  random: Random,
  depth: number,
  ids: readonly string[],
): string {
  const args = field.args.flatMap(({ name }) => {
    const id = () => JSON.stringify(ids[random.between(0, ids.length - 1)]);
    if (name === 'first') return [`first: ${random.pick([1, 5, 20, 50, 200])}`];
    if (name === 'id') return [`id: ${id()}`];
    if (name === 'ids') return [`ids: [${Array.from({ length: random.between(0, 40) }, id)}]`];
    return name === 'name' ? ['name: "r1"'] : [];
  });
  const type = getNamedType(field.type);
  const start = priceOf(field).counted ? COUNTED : random.next() < 0.3 ? 'a_long_alias_' : '';
  const alias = start === '' ? '' : `${start}${at}_${field.name}: `;
  const call = `${alias}${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''}`;
  if (isLeafType(type)) return call;
  const members = isAbstractType(type) ? schema.getPossibleTypes(type) : [type];
  const below = members.map(
    (member) => `... on ${member.name} { ${fieldsOf(member, random, depth - 1, ids)} }`,
  );
  return `${call} { ${isAbstractType(type) ? '__typename ' : ''}${below.join(' ')} }`;
}
