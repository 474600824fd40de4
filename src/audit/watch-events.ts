import type { Caller } from '../identity/caller.ts';
import { Standing } from '../identity/standing.ts';
import { problems } from '../outcomes.ts';
import { RequestRefused } from '../request-refused.ts';
import type { World } from '../world.ts';
import type { EventFeed } from './event-feed.ts';
import { createEventQueue } from './event-queue.ts';
import type { AuditEventRow } from './list-audit-events.ts';

/** Events that may wait for a slow reader. */
export const WAITING_EVENTS = 1_000;

/** What is watched, and the world in which. */
export interface Watched {
  readonly world: World;
  readonly events: EventFeed;
}

/** What a watcher wants to hear, and who it is. */
export interface Watch<Event> {
  /** For the log. */
  readonly operation: string;
  readonly caller: Caller;
  /** Authenticates the caller again. */
  readonly isStillCaller: () => Promise<boolean>;
  /** An audit event as far as every caller of the org may see it; null: not one to be told. */
  readonly select: (event: AuditEventRow) => Event | null;
}

/** The refusal to watch one thing that the caller does not see. */
export const nothingToWatch = (subject: 'pack' | 'agent_role', id: string): RequestRefused =>
  new RequestRefused('bad_request', problems.not_found.message({ kind: 'not_found', subject, id }));

/**
 * What happens in the caller's org from now on, until the reader stops, falls far behind, or may no longer call.
 * @throws RequestRefused `rate_limited` where too many streams are open, `service_unavailable`; the reader gets the
 * same kind of error when the stream breaks, and `unauthenticated` when the key or session ends
 */
export async function watchEvents<Event>(
  { world: { log }, events }: Watched,
  { operation, caller, isStillCaller, select }: Watch<Event>,
): Promise<AsyncIterableIterator<Event>> {
  const startedAt = performance.now();
  const { requestId, orgId: org, principal } = caller;
  let sent = 0;
  const resources = new DisposableStack();
  const queue = createEventQueue<Event>(WAITING_EVENTS, (reason) => {
    resources.dispose();
    const outcome = reason?.code ?? 'ok';
    const ms = Math.round(performance.now() - startedAt);
    log.info({ requestId, org, operation, events: sent, outcome, ms }, 'stream ended');
  });
  const endForNobody = () =>
    queue.end(new RequestRefused('unauthenticated', 'The key or token is no longer valid.'));
  const standing = resources.use(new Standing(caller, isStillCaller, log, endForNobody));
  const ownKey = principal.kind === 'api_key' ? principal.keyId : null;
  try {
    const leave = await events.follow(caller, {
      onEvent(event) {
        if (event.type === 'API_KEY_REVOKED' && event.subjectId === ownKey) return endForNobody();
        const selected = select(event);
        if (selected === null) return;
        sent += 1;
        queue.push(selected);
      },
      onEnd: (reason) => queue.end(reason),
    });
    // It may have ended while it was being opened.
    if (resources.disposed) leave();
    else resources.defer(leave);
  } catch (error) {
    resources.dispose();
    throw error;
  }
  // The right to call may have ended after the authentication and before the stream was listening.
  await standing.check();
  return queue;
}
