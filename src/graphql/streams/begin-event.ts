import type { EventId } from '../../model/ids.ts';
import type { Context } from '../context.ts';
import { Loaders } from '../loaders.ts';

/** Before an event's own fields are resolved: what was loaded for the event before is out of date. */
export function beginEvent<Event extends { readonly auditEventId: EventId }>(
  event: Event,
  context: Context,
): Event {
  context.loaders = new Loaders(context.world, context.caller);
  context.record.eventId = event.auditEventId;
  return event;
}
