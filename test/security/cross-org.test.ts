import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLOutputType,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';

const schema = buildSchema(readFileSync('schema.graphql', 'utf8'), { assumeValidSDL: true });

/** A literal of the type, with the foreign id wherever an ID may be. */
function literal(type: GraphQLInputType, id: string): string {
  if (isNonNullType(type)) return literal(type.ofType, id);
  if (isListType(type)) return `[${literal(type.ofType, id)}]`;
  if (isEnumType(type)) return type.getValues()[0]?.name ?? 'null';
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields());
    return `{${fields.map((field) => `${field.name}: ${literal(field.type, id)}`).join(', ')}}`;
  }
  const values: Record<string, string> = { ID: `"${id}"`, Int: '5', Boolean: 'true' };
  if (type.name === 'DateTime') return '"2020-01-01T00:00:00Z"';
  return values[type.name] ?? '"probe"';
}

const needsArguments = (field: GraphQLField<unknown, unknown>) =>
  field.args.some((arg) => isNonNullType(arg.type) && arg.defaultValue === undefined);

/** Every field of the type down to the depth, under aliases that never clash between members. */
function selection(type: GraphQLOutputType, depth: number): string {
  const named = getNamedType(type);
  if (isLeafType(named)) return '';
  const members = isAbstractType(named) ? schema.getPossibleTypes(named) : [named];
  const parts = members.filter(isObjectType).map((member) => {
    const fields = Object.values(member.getFields()).filter(
      (field) => !needsArguments(field) && (depth > 0 || isLeafType(getNamedType(field.type))),
    );
    const chosen = fields.map(
      (field) =>
        `${members.length > 1 ? `${member.name}_${field.name}: ` : ''}${field.name}${selection(field.type, depth - 1)}`,
    );
    return `... on ${member.name} { __typename ${chosen.join(' ')} }`;
  });
  return ` { ${parts.join(' ')} }`;
}

test('no GraphQL field tells one org anything of another', async () => {
  const gateway = await startGateway();
  const pack = await gateway.pack('canary-pack');
  const create = `mutation ($input: CreateAgentRoleInput!) { createAgentRole(input: $input) {
    ... on CreatedAgentRole { role { id } } } }`;
  const input = { name: 'canary-role', displayName: 'canary-display', packIds: [pack.id] };
  const role = (await gateway.graphql(create, { input })).data.createAgentRole.role;
  const rows = async () => {
    const { database } = gateway.app.services;
    const packs = await database.query(
      "select * from packs where org_id = (select id from orgs where slug = 'default')",
      [],
    );
    const roles = await database.query(
      "select * from agent_roles where org_id = (select id from orgs where slug = 'default')",
      [],
    );
    return { packs, roles };
  };
  const before = await rows();
  const stranger = await gateway.org('stranger');
  // The canaries are there to be seen by their owner.
  const seen = await gateway.graphql(
    `{ pack(id: "${pack.id}") { name } agentRoles { nodes { name displayName } } }`,
  );
  expect(JSON.stringify(seen)).toMatch(/canary-pack.*canary-role.*canary-display/);
  const leaks: string[] = [];
  const refused: string[] = [];
  for (const [kind, root] of [
    ['query', schema.getQueryType()],
    ['mutation', schema.getMutationType()],
  ] as const) {
    for (const field of Object.values(root?.getFields() ?? {})) {
      if (field.args.some((arg) => ['File', '_Any'].includes(getNamedType(arg.type).name)))
        continue;
      for (const id of [pack.id, role.id]) {
        const args = field.args.map((arg) => `${arg.name}: ${literal(arg.type, id)}`).join(', ');
        const call = `${field.name}${args === '' ? '' : `(${args})`}`;
        const answer = await gateway.graphql(
          `${kind} { ${call}${selection(field.type, 1)} }`,
          {},
          stranger,
        );
        const text = JSON.stringify(answer);
        if (answer.data === undefined) refused.push(`${call}: ${text.slice(0, 300)}`);
        const other = id === pack.id ? role.id : pack.id;
        if (text.includes('canary') || text.includes(other)) leaks.push(`${call}: ${text}`);
      }
    }
  }
  expect(leaks).toEqual([]);
  expect(refused).toEqual([]);
  expect(await rows()).toEqual(before);
});
