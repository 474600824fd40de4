import { describe, expect, test } from 'vitest';
import { errorCodes, graphqlCode } from '../../src/outcomes.ts';
import { longDatabaseKinds } from '../support/extent.ts';
import { startGateway } from '../support/gateway.ts';
import { changes, events, operationOf } from './changes.ts';

const texts = [
  '',
  ' ',
  'x',
  '0',
  'a\0b',
  '\ud800',
  'ü\u202e😀',
  "'; drop table packs; --",
  '../../etc/passwd',
  'a:b:c@d/e',
  '127.0.0.1:1/x:y',
  'x'.repeat(1_000_000),
  'pack_00000000-0000-7000-8000-000000000000',
  'role_00000000-0000-7000-8000-000000000000',
  'key_00000000-0000-7000-8000-000000000000',
  'pack_00000000-0000-7000-8000-00000000000',
];
const otherTypes = [null, 0, -1, 1.5, 2 ** 53, true, [], {}, ['x'], { x: 'y' }];
const codes = new Set(errorCodes.map(graphqlCode));

describe.each(longDatabaseKinds)('every change on %s', (database) => {
  test.each(changes)(
    '%s answers whatever it is sent with a code, and changes nothing of others',
    async (name) => {
      const gateway = await startGateway({ database });
      const other = await gateway.org('globex');
      const foreign = await gateway.pack('secret', { key: other });
      const { data } = await gateway.graphql(
        'mutation { createAgentRole(input: { name: "theirs" }) { ... on CreatedAgentRole { role { id } } } }',
        {},
        other,
      );
      const roleId = data.createAgentRole.role.id;
      const known = { visibility: 'COMMUNITY', permissionSet: 'OWNER' };
      for (const value of [...texts, foreign.id, roleId, ...otherTypes]) {
        const variables = {
          ...known,
          id: value,
          roleId: value,
          packId: value,
          imageRef: value,
          name: value,
          label: value,
        };
        const inputs = [
          value,
          { name: value },
          { name: 'ok name', displayName: value, description: value, packIds: [value] },
          { name: 'agent', environment: value },
          { packIds: value },
        ];
        const usesInput = name === 'createAgentRole' || name === 'updateAgentRole';
        for (const input of usesInput ? inputs : [{}]) {
          const answer = await gateway.graphql(operationOf(name), { ...variables, input });
          const shown = `${JSON.stringify({ ...variables, input }).slice(0, 300)} ${JSON.stringify(answer)}`;
          // A role may well be called "x".
          if (answer.data?.[name].__typename === 'CreatedAgentRole') continue;
          const given = answer.errors?.[0].extensions.code ?? answer.data[name].code;
          expect(given, shown.slice(0, 900)).toBeOneOf([...codes]);
          expect(given, shown.slice(0, 900)).not.toBe('INTERNAL_ERROR');
        }
      }
      const own = (await events(gateway)).filter(({ type }) => type !== 'AGENT_ROLE_CREATED');
      expect(own).toEqual([]);
      expect((await events(gateway, other)).map(({ type }) => type)).toEqual([
        'PACK_UPLOADED',
        'AGENT_ROLE_CREATED',
      ]);
    },
  );
});
