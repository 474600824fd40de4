import { expect, test } from 'vitest';
import { rotateOwnerKey } from '../../src/keys/rotate-owner-key.ts';
import { startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const VIEWER = '{ viewer { scopes apiKey { permissionSet } } }';

test('a rotation ends the old owner keys at once, shows the new one, and is in the audit log', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const second = await gateway.key('OWNER');
  const reader = await gateway.key('READ_ONLY');
  const neighbour = await gateway.org('neighbour');
  const outcome = await rotateOwnerKey(gateway.app.world, 'default');
  if (outcome.kind !== 'owner_key_rotated') throw new Error(outcome.kind);
  for (const old of [OWNER_KEY, second]) {
    expect((await gateway.graphql(VIEWER, {}, old)).errors[0].extensions.code).toBe(
      'UNAUTHENTICATED',
    );
  }
  for (const untouched of [reader, neighbour]) {
    expect((await gateway.graphql(VIEWER, {}, untouched)).errors).toBeUndefined();
  }
  const { data } = await gateway.graphql(VIEWER, {}, outcome.secret);
  expect(data.viewer).toMatchObject({ apiKey: { permissionSet: 'OWNER' } });
  expect(data.viewer.scopes).toContain('apikeys:write');
  const events = await gateway.graphql(
    '{ auditEvents(first: 3) { nodes { type actor subjectId } } }',
    {},
    outcome.secret,
  );
  expect(events.data.auditEvents.nodes).toHaveLength(3);
  expect(events.data.auditEvents.nodes).toEqual(
    expect.arrayContaining([
      { type: 'API_KEY_CREATED', actor: 'operator', subjectId: outcome.id },
      ...outcome.revoked.map((subjectId) => ({
        type: 'API_KEY_REVOKED',
        actor: 'operator',
        subjectId,
      })),
    ]),
  );
  expect(await rotateOwnerKey(gateway.app.world, 'nobody')).toEqual({ kind: 'no_such_org' });
});
