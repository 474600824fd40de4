import type { RequestRefused } from '../request-refused.ts';
import type { AuditEventRow } from './list-audit-events.ts';

/** Who is told of an org's events. */
export interface Follower {
  /** Must not wait: others are told after it. One that throws is ended. */
  onEvent(event: AuditEventRow): void;
  /** There will be no more. */
  onEnd(reason: RequestRefused): void;
}
