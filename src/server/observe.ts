import { refusedResponse } from '../http/error-envelope.ts';
import { refusedBy } from '../http/refused-by.ts';
import type { Log } from '../log.ts';
import { type RequestRecord, requestScope } from '../request-record.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';

export type Route = 'graphql' | 'rest' | 'healthz' | 'readyz' | 'metrics' | 'none';

/** What is known of a request before anybody has answered it. */
export interface Arrival {
  readonly method: string;
  readonly route: Route;
  readonly traceparent: string | null;
}

/** Answers a request with `work`, within its trace; measured and logged however it ends. */
export type Observe = <Answer extends { readonly status: number }>(
  arrival: Arrival,
  record: RequestRecord,
  work: () => Promise<Answer>,
) => Promise<Answer | Response>;

export function createObserve(log: Log, metrics: Metrics, tracing: Tracing | null): Observe {
  return async (arrival, record, work) => {
    const { method, route } = arrival;
    const startedAt = performance.now();
    const respond = () =>
      requestScope.run(record, () =>
        work().catch((error: unknown) =>
          refusedResponse(refusedBy(error, record, log), record.requestId),
        ),
      );
    const isTraced = route === 'graphql' || route === 'rest';
    const answer = await (tracing === null || !isTraced
      ? respond()
      : tracing.request(arrival, record, respond));
    const milliseconds = performance.now() - startedAt;
    metrics.request(route, answer.status, milliseconds, record.outcomes);
    log.info(
      {
        requestId: record.requestId,
        ...(record.traceId === null ? {} : { traceId: record.traceId }),
        method,
        route,
        operation: record.operation,
        org: record.caller?.orgId,
        ...principalOf(record),
        outcome: record.outcomes.join(' ') || 'ok',
        status: answer.status,
        ms: Math.round(milliseconds * 10) / 10,
      },
      'request',
    );
    return answer;
  };
}

function principalOf({ caller }: RequestRecord): Record<string, string> {
  if (caller === null) return {};
  const { principal } = caller;
  return principal.kind === 'api_key' ? { key: principal.keyId } : { user: principal.userId };
}
