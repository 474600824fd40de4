import type { StatementEvent } from '../database/connect.ts';
import type { RegistryCall } from '../registry/registry.ts';

/** What a trace tells of a request, and what the request is told of its trace. */
export interface TracedRequest {
  readonly requestId: string;
  readonly operation: string | null;
  readonly outcomes: readonly string[];
  readonly caller: { readonly orgId: string } | null;
  traceId: string | null;
}

/** Traces of requests, with what they asked of database and registry. */
export interface Tracing {
  /** Answers a request within a span, which continues the trace of the caller's `traceparent`. */
  request<Answer extends { readonly status: number }>(
    arrival: {
      readonly method: string;
      readonly route: string;
      readonly headers: Headers;
    },
    request: TracedRequest,
    answer: () => Promise<Answer>,
  ): Promise<Answer>;
  statement(event: StatementEvent): void;
  registryCall(call: RegistryCall): void;
  /** Sends what has not been sent yet. */
  close(): Promise<void>;
}
