import type { EventFeed } from '../audit/event-feed.ts';
import type { AuditEventRow } from '../audit/list-audit-events.ts';
import type { Caller } from '../identity/caller.ts';
import type { Log } from '../log.ts';
import type { AuditEventType } from '../model/audit-event.entity.ts';
import { type EventId, type PackId, packIds, type RoleId, roleIds } from '../model/ids.ts';
import { RequestRefused } from '../request-refused.ts';
import { createEventQueue } from './event-queue.ts';

export interface PackEvent {
  readonly id: EventId;
  readonly type: AuditEventType;
  readonly packId: PackId;
  /** The role that was given the pack or lost it. */
  readonly roleId: RoleId | null;
  readonly requestId: string;
  readonly createdAt: Date;
}

/** Events that may wait for a slow reader. */
const WAITING_EVENTS = 1_000;
/** How long a caller whose token has lapsed stays; the end of a key is announced and takes effect at once. */
const AUTHENTICATE_EVERY_MS = 30_000;

/**
 * Everything that happens to packs in the caller's org from now on, until the reader stops, falls far behind, or may
 * no longer call.
 * @param isStillCaller authenticates the caller again
 * @throws RequestRefused `service_unavailable`; the reader gets the same kind of error when the stream breaks
 */
export async function watchPackEvents(
  { events, log }: { readonly events: EventFeed; readonly log: Log },
  caller: Caller,
  isStillCaller: () => Promise<boolean>,
): Promise<AsyncIterableIterator<PackEvent>> {
  const startedAt = performance.now();
  let sent = 0;
  const resources = new DisposableStack();
  const queue = createEventQueue<PackEvent>(WAITING_EVENTS, (reason) => {
    resources.dispose();
    const outcome = reason?.code ?? 'ok';
    const { requestId, orgId: org } = caller;
    const ms = Math.round(performance.now() - startedAt);
    log.info(
      { requestId, org, operation: 'packEvents', events: sent, outcome, ms },
      'stream ended',
    );
  });
  const authenticate = async () => {
    if (await isStillCaller()) return;
    queue.end(new RequestRefused('unauthenticated', 'The key or token is no longer valid.'));
  };
  const leave = await events.follow(caller.orgId, {
    async onEvent(event) {
      if (event.type === 'API_KEY_REVOKED') await authenticate();
      const packEvent = toPackEvent(event);
      if (packEvent === null) return;
      sent += 1;
      queue.push(packEvent);
    },
    onEnd: (reason) => queue.end(reason),
  });
  // The feed, the end of the key or too many events may have ended it while it was being opened.
  if (resources.disposed) {
    leave();
    return queue;
  }
  resources.defer(leave);
  const checks = setInterval(() => {
    authenticate().catch((error: unknown) => log.warn({ err: error }, 'a stream was not checked'));
  }, AUTHENTICATE_EVERY_MS).unref();
  resources.defer(() => clearInterval(checks));
  return queue;
}

/** An audit event as far as every caller of the org may see it, or null where it is about no pack. */
function toPackEvent(event: AuditEventRow): PackEvent | null {
  const packId = packIds.parse(event.subjectId);
  if (packId === null) return null;
  const { id, type, details, requestId, createdAt } = event;
  const roleId = typeof details.roleId === 'string' ? roleIds.parse(details.roleId) : null;
  return { id, type, packId, roleId, requestId, createdAt };
}
