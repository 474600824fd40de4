import { defineEntity, p } from '@mikro-orm/core';
import { orgIds } from './ids.ts';
import { tenantFilter } from './tenant.ts';

const EventListenerSchema = defineEntity({
  name: 'EventListener',
  tableName: 'event_listeners',
  filters: tenantFilter('orgId'),
  properties: {
    orgId: p.type(orgIds.column).primary(),
    /** The process. */
    listener: p.uuid().primary(),
    /** When the listener counts as dead, unless it renews. */
    expiresAt: p.datetime(3),
  },
});

/**
 * That a process wants to hear of an org's events at once. Transactions that notify commit one after the other in
 * PostgreSQL (a third of the throughput, seen; far less on a slow disk), so only orgs that somebody watches pay.
 */
export class EventListener extends EventListenerSchema.class {}
EventListenerSchema.setClass(EventListener);
