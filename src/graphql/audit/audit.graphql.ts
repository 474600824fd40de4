import { countAuditEvents, listAuditEvents } from '../../audit/list-audit-events.ts';
import type { auditEventTypes } from '../../model/audit-event.entity.ts';
import { eventIds } from '../../model/ids.ts';
import { pageRequest } from '../../page.ts';
import { builder } from '../builder.ts';
import { pageArguments, toConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { countedText } from '../limits/price.ts';
import { needs } from '../needs.ts';
import { AuditEvent, AuditEventConnection } from '../refs.ts';

export const AuditEventTypeEnum = builder.enumType('AuditEventType', {
  description: 'What happened.',
  values: {
    PACK_UPLOADED: { description: 'A pack was made of an archive.' },
    PACK_CREATED: { description: 'A pack was made of an existing image.' },
    PACK_IMAGE_REPLACED: { description: 'A pack got another image.' },
    PACK_ARCHIVE_REPLACED: { description: 'A pack got its next version from an archive.' },
    PACK_FILE_REPLACED: { description: 'A file of a pack was changed or added.' },
    PACK_FILE_DELETED: { description: 'A file was taken out of a pack.' },
    PACK_VISIBILITY_CHANGED: { description: 'A pack was shared, or is no longer shared.' },
    PACK_CLONED: { description: 'A pack was made as a copy of another.' },
    PACK_ATTACHED: { description: 'A role was given a pack.' },
    PACK_DETACHED: { description: 'A pack was taken from a role.' },
    PACK_DELETION_STARTED: { description: 'A deletion began to purge the image.' },
    PACK_CLEANUP_FAILED: { description: 'The registry failed; the pack is kept.' },
    PACK_DELETED: { description: 'The pack is gone. There is exactly one such event for a pack.' },
    AGENT_ROLE_CREATED: { description: 'A role was made.' },
    AGENT_ROLE_UPDATED: { description: 'A role was changed.' },
    AGENT_ROLE_ARCHIVED: { description: 'A role was archived.' },
    AGENT_ROLE_UNARCHIVED: { description: 'An archived role was brought back into use.' },
    API_KEY_CREATED: { description: 'A key was made.' },
    API_KEY_REVOKED: { description: 'A key was revoked.' },
    AUDIT_PRUNED: { description: 'Events that were too old were removed; details say how many.' },
  } satisfies Record<(typeof auditEventTypes)[number], object>,
});

/** An event by id, for those who may read the audit trail; everybody else learns nothing, not even that it exists. */
const load = (id: string, { loaders, caller }: Context) => {
  const eventId = eventIds.parse(id);
  return eventId === null || !caller.scopes.has('audit:read') ? null : loaders.event.load(eventId);
};

builder.node(AuditEvent, {
  description: 'Who changed what; written in the transaction that made the change, never altered.',
  id: { resolve: ({ id }) => id, description: 'Starts with evt_.' },
  loadOne: load,
  fields: (t) => ({
    type: t.expose('type', { type: AuditEventTypeEnum, description: 'What happened.' }),
    actor: t.exposeString('actor', {
      ...countedText(),
      description:
        "The key's (key_…) or the user's id; or `operator`, `check-consistency` or `retention`.",
    }),
    subjectId: t.exposeID('subjectId', {
      description: 'The pack, role or key it is about; the org where events were pruned.',
    }),
    requestId: t.exposeID('requestId', {
      description: 'The request that did it.',
    }),
    details: t.expose('details', {
      ...countedText(),
      type: 'JSON',
      description: 'Further details, which depend on the type.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
  }),
});

builder.asEntity(AuditEvent, {
  key: builder.selection<{ id: string }>('id'),
  resolveReference: ({ id }, context) => load(id, context),
});

const AuditEventFilter = builder.inputType('AuditEventFilter', {
  description: 'Which events to list; everything given must hold.',
  fields: (t) => ({
    type: t.field({ type: AuditEventTypeEnum, description: 'Only events of this type.' }),
    subjectId: t.id({ description: 'Only events about this pack, role or key.' }),
    since: t.field({ type: 'DateTime', description: 'From this moment on.' }),
    until: t.field({ type: 'DateTime', description: 'Before this moment.' }),
  }),
});

builder.queryFields((t) => ({
  auditEvents: t.field({
    type: AuditEventConnection,
    // A caller without the scope keeps the rest of the answer.
    nullable: true,
    description: 'The log of the org, newest first. Needs the scope audit:read.',
    ...needs('audit:read'),
    args: {
      ...pageArguments(t),
      filter: t.arg({ type: AuditEventFilter, description: 'Which events; all when left out.' }),
    },
    resolve: (_root, { filter, ...args }, { world, caller, loaders }) => {
      const page = pageRequest(args);
      return toConnection(
        () =>
          loaders.allowance.read('described', () =>
            listAuditEvents(world, caller, page, filter ?? {}),
          ),
        () => countAuditEvents(world, caller, filter ?? {}),
      );
    },
  }),
}));
