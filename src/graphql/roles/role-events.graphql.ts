import { type RoleEvent, watchRoleEvents } from '../../roles/watch-role-events.ts';
import { AuditEventTypeEnum } from '../audit/audit.graphql.ts';
import { builder } from '../builder.ts';
import { readsRow } from '../limits/price.ts';
import { loadPack } from '../packs/pack.graphql.ts';
import { AgentRole, Pack } from '../refs.ts';
import { beginEvent } from '../streams/begin-event.ts';

const RoleEventType = builder.objectRef<RoleEvent>('RoleEvent').implement({
  description: "Something that happened to an agent role of the caller's org.",
  fields: (t) => ({
    // Not `id`: a normalising client would take this for the record of the audit event, whose fields it has not.
    auditEventId: t.exposeID('auditEventId', {
      description: 'Starts with evt_; the id of the same event in auditEvents.',
    }),
    type: t.expose('type', {
      type: AuditEventTypeEnum,
      description:
        'What happened; only PACK_ATTACHED, PACK_DETACHED and the types that begin with AGENT_ROLE_ occur.',
    }),
    roleId: t.exposeID('roleId', { description: 'The role.' }),
    role: t.field({
      type: AgentRole,
      nullable: true,
      description: 'The role as it is now.',
      resolve: ({ roleId }, _args, { loaders }) => loaders.role.load(roleId),
    }),
    packId: t.exposeID('packId', {
      nullable: true,
      description: 'The pack that the role was given or lost; null for other types.',
    }),
    pack: t.field({
      type: Pack,
      nullable: true,
      description: 'That pack as it is now; null once it is deleted.',
      ...readsRow(),
      resolve: ({ packId }, _args, context, info) =>
        packId === null ? null : loadPack(packId, context, info),
    }),
    requestId: t.exposeID('requestId', { description: 'The request that did it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
  }),
});

builder.subscriptionFields((t) => ({
  roleEvents: t.field({
    type: RoleEventType,
    description:
      "What happens to agent roles of the caller's org from now on, on whichever replica. It ends as packEvents does: then read the roles again and subscribe again.",
    args: {
      roleId: t.arg.id({ description: 'Only events of this role; role_…' }),
      types: t.arg({ type: [AuditEventTypeEnum], description: 'Only events of these types.' }),
    },
    subscribe: (_root, filter, context) =>
      watchRoleEvents(context, context.caller, context.isStillCaller, filter),
    resolve: (event, _args, context) => beginEvent(event, context),
  }),
}));
