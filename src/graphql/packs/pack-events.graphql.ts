import { maxStreams } from '../../audit/stream-places.ts';
import { WAITING_EVENTS } from '../../audit/watch-events.ts';
import { type PackEvent, watchPackEvents } from '../../packs/watch-pack-events.ts';
import { AuditEventTypeEnum } from '../audit/audit.graphql.ts';
import { builder } from '../builder.ts';
import { readsRow } from '../limits/price.ts';
import { AgentRole, Pack } from '../refs.ts';
import { beginEvent } from '../streams/begin-event.ts';
import { loadPack } from './pack.graphql.ts';

const PackEventType = builder.objectRef<PackEvent>('PackEvent').implement({
  description: "Something that happened to a pack in the caller's org.",
  fields: (t) => ({
    // Not `id`: a normalising client would take it for the record of the audit event, whose fields it has not.
    auditEventId: t.exposeID('auditEventId', {
      description: 'Starts with evt_; the id of the same event in auditEvents.',
    }),
    type: t.expose('type', {
      type: AuditEventTypeEnum,
      description: 'What happened; only the types that begin with PACK_ occur.',
    }),
    packId: t.exposeID('packId', { description: 'The pack, also when it is gone.' }),
    pack: t.field({
      type: Pack,
      nullable: true,
      description: 'The pack as it is now; null once it is deleted.',
      ...readsRow(),
      resolve: ({ packId }, _args, context, info) => loadPack(packId, context, info),
    }),
    role: t.field({
      type: AgentRole,
      nullable: true,
      description: 'The role that was given the pack or lost it; null for other types.',
      resolve: ({ roleId }, _args, { loaders }) =>
        roleId === null ? null : loaders.role.load(roleId),
    }),
    requestId: t.exposeID('requestId', { description: 'The request that did it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
  }),
});

builder.subscriptionFields((t) => ({
  packEvents: t.field({
    type: PackEventType,
    description: `What happens to packs in the caller's org from now on, on whichever replica. It ends with an error when the key is revoked or the session expires (UNAUTHENTICATED), when over ${WAITING_EVENTS} events wait to be read (RATE_LIMITED) or when events may have been missed (SERVICE_UNAVAILABLE): then read the packs again and subscribe again. A caller has ${maxStreams.caller} subscriptions at once, an org ${maxStreams.org}.`,
    args: {
      packId: t.arg.id({ description: 'Only events of this pack; pack_…' }),
      types: t.arg({ type: [AuditEventTypeEnum], description: 'Only events of these types.' }),
    },
    subscribe: (_root, filter, context) =>
      watchPackEvents(context, context.caller, context.isStillCaller, filter),
    resolve: (event, _args, context) => beginEvent(event, context),
  }),
}));
