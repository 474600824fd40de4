import { expect, test, vi } from 'vitest';
import { deletePackDocument } from '../support/deletion.ts';
import { type Json, startGateway } from '../support/gateway.ts';

const EVENTS = `query ($filter: AuditEventFilter) {
  auditEvents(filter: $filter) { totalCount nodes { id createdAt } }
}`;

test('since takes in the event of that very moment, until leaves it out', async () => {
  const gateway = await startGateway();
  const pack = await gateway.pack('triage');
  await gateway.graphql(deletePackDocument(), {
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

test('moments before and after all time are bounds as well', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await gateway.pack('triage');
  const before = ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00+23:59', '0001-01-01T00:00:00Z'];
  const after = ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59-23:59'];
  const bounds = [
    ...before.map((moment) => ({ moment, since: 1, until: 0 })),
    ...after.map((moment) => ({ moment, since: 0, until: 1 })),
  ];
  for (const { moment, ...counts } of bounds) {
    for (const bound of ['since', 'until'] as const) {
      const answer = await gateway.graphql(EVENTS, { filter: { [bound]: moment } });
      expect(answer.data?.auditEvents.totalCount, `${bound} ${moment}`).toBe(counts[bound]);
      const path = `/v1/audit?${bound}=${encodeURIComponent(moment)}`;
      const { body } = await gateway.rest('GET', path);
      expect(body.events, `${path}: ${JSON.stringify(body)}`).toHaveLength(counts[bound]);
    }
  }
});

test('GraphQL and REST take the same moments, and refuse the same', async () => {
  const gateway = await startGateway();
  const taken = [
    '2026-02-28T23:59:59.123456789+02:00',
    '2024-02-29T00:00:00-23:59',
    '2026-01-01t00:00:00z',
  ];
  const refused = [
    '2026-02-30T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:00',
    '2026-01-01',
    '',
  ];
  for (const moment of [...taken, ...refused]) {
    const literal = `{ auditEvents(filter: { since: "${moment}" }) { totalCount } }`;
    const answers = [
      await gateway.graphql(EVENTS, { filter: { since: moment } }),
      await gateway.graphql(literal),
      (await gateway.rest('GET', `/v1/audit?since=${encodeURIComponent(moment)}`)).body,
    ];
    const isRefusal = ({ errors, error }: Json) => errors !== undefined || error !== undefined;
    expect(answers.map(isRefusal), moment).toEqual(Array(3).fill(refused.includes(moment)));
  }
  const { errors } = await gateway.graphql('{ auditEvents(filter: { since: 5 }) { totalCount } }');
  expect(errors[0].message).toBe('A DateTime must be a moment such as 2026-01-31T12:00:00Z.');
});

test('an event that came after the clock was set back is found at its moment', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await gateway.pack('before');
  const hourAgo = Date.now() - 3_600_000;
  vi.useFakeTimers({ toFake: ['Date'], now: hourAgo });
  try {
    await gateway.pack('after');
  } finally {
    vi.useRealTimers();
  }
  const filter = {
    since: new Date(hourAgo - 1_000).toISOString(),
    until: new Date(hourAgo + 60_000).toISOString(),
  };
  const { data } = await gateway.graphql(EVENTS, { filter });
  expect(data.auditEvents.nodes).toHaveLength(1);
});
