import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';

const EVENTS = `query ($filter: AuditEventFilter) {
  auditEvents(filter: $filter) { totalCount nodes { id createdAt } }
}`;

test('since takes in the event of that very moment, until leaves it out', async () => {
  const gateway = await startGateway();
  const pack = await gateway.pack('triage');
  await gateway.graphql('mutation ($id: ID!) { deletePack(id: $id) { __typename } }', {
    id: pack.id,
  });
  const list = async (filter: object) =>
    (await gateway.graphql(EVENTS, { filter })).data.auditEvents;
  const { nodes } = await list({});
  expect(nodes).toHaveLength(3);
  for (const [index, { createdAt }] of nodes.entries()) {
    const since = await list({ since: createdAt });
    const until = await list({ until: createdAt });
    expect(since.totalCount, 'this one and the newer ones').toBeGreaterThanOrEqual(index + 1);
    expect(since.nodes).toContainEqual(nodes[index]);
    expect(until.nodes).not.toContainEqual(nodes[index]);
    expect(since.totalCount + until.totalCount).toBe(3);
  }
});
