import { z } from '@hono/zod-openapi';
import { type AuditEventRow, listAuditEvents } from '../../audit/list-audit-events.ts';
import { moment, singleLine } from '../../input.ts';
import { auditEventTypes } from '../../model/audit-event.entity.ts';
import { enumIn, enumOut, lowerCase } from '../letter-case.ts';
import { type Operation, operation } from '../operation.ts';
import { nextCursor, nextCursorOf, pageOf, pageQuery, shareOfPage } from '../paging.ts';
import { noBody } from '../read-input.ts';

const eventSchema = z
  .object({
    id: z.string().openapi({ description: 'Starts with evt_.' }),
    type: enumOut(auditEventTypes),
    actor: z.string().openapi({
      description:
        "The key's (key_…) or the user's id; or `operator`, `check-consistency` or `retention`.",
    }),
    subject_id: z.string().openapi({
      description: 'The pack, role or key it is about; the org where events were pruned.',
    }),
    request_id: z.string().openapi({ description: 'The request that did it.' }),
    details: z.record(z.string(), z.unknown()),
    created_at: z.iso.datetime(),
  })
  .openapi('AuditEvent');

const eventJson = (event: AuditEventRow): z.input<typeof eventSchema> => ({
  id: event.id,
  type: lowerCase(event.type),
  actor: event.actor,
  subject_id: event.subjectId,
  request_id: event.requestId,
  details: event.details,
  created_at: event.createdAt.toISOString(),
});

const bound = moment.optional();

const list = operation({
  method: 'get',
  path: '/v1/audit',
  operationId: 'listAuditEvents',
  summary: 'Who changed what in the org, newest first; everything given must hold.',
  tag: 'Audit',
  needs: 'audit:read',
  query: z.object({
    ...pageQuery,
    type: enumIn(auditEventTypes).optional(),
    subject_id: singleLine(255).optional(),
    since: bound.openapi({ type: 'string', format: 'date-time', description: 'From then on.' }),
    until: bound.openapi({ type: 'string', format: 'date-time', description: 'Before then.' }),
  }),
  body: noBody,
  problems: {},
  success: {
    status: 200,
    description: 'A page of events.',
    schema: z.object({ events: z.array(eventSchema), ...nextCursor }),
  },
  run: async (world, caller, { query }) => ({
    kind: 'listed' as const,
    page: await listAuditEvents(world, caller, pageOf(query), {
      type: query.type,
      subjectId: query.subject_id,
      since: query.since,
      until: query.until,
    }),
  }),
  shareOf: ({ limit }) => shareOfPage(limit),
  present: ({ page }) => ({ events: page.items.map(eventJson), ...nextCursorOf(page) }),
});

export const auditOperations: readonly Operation[] = [list];
