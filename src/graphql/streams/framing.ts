import type { ExecutionResult } from 'graphql';

/** A form in which results are sent one after the other on one response. */
export interface Framing {
  readonly contentType: string;
  /** Sent at once, so that a client and every proxy in between know that the stream is open. */
  readonly opening: string;
  /** Sent now and then while nothing happens, so that nobody in between takes the connection for dead. */
  readonly heartbeat: string;
  readonly closing: string;
  /** @param eventId the audit event that the result tells of; null: none */
  frame(result: ExecutionResult, eventId: string | null): string;
}
