import { refusedResponse } from '../http/error-envelope.ts';
import { refusedBy } from '../http/refused-by.ts';
import { actorOf } from '../identity/caller.ts';
import type { Log } from '../log.ts';
import { logLevelOf } from '../outcomes.ts';
import { type RequestRecord, requestScope } from '../request-record.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';

export type Route = 'graphql' | 'rest' | 'healthz' | 'readyz' | 'metrics' | 'none';

/** What is known of a request before anybody has answered it. */
export interface Arrival {
  readonly method: string;
  readonly route: Route;
  readonly headers: Headers;
}

/** Answers a request with `work`, within its trace; measured and logged however it ends. */
export type Observe = (
  arrival: Arrival,
  record: RequestRecord,
  work: () => Promise<Response>,
) => Promise<Response>;

export function createObserve(log: Log, metrics: Metrics, tracing: Tracing | null): Observe {
  return async (arrival, record, work) => {
    const { method, route, headers } = arrival;
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
    log[logLevelOf(record.outcomes)](
      {
        requestId: record.requestId,
        ...(record.traceId === null ? {} : { traceId: record.traceId }),
        method,
        route,
        operation: record.operation,
        ...(record.operationName !== null && { operationName: record.operationName }),
        ...toldOf(headers),
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

const LONGEST_TOLD = 100;

/** What a request says about its sender, for readers of the log; nothing here relies on it. */
function toldOf(headers: Headers): Record<string, string> {
  const told: Record<string, string> = {};
  for (const [field, ...names] of TOLD) {
    const value = names.map((name) => headers.get(name)).find((text) => text);
    if (value != null) told[field] = value.slice(0, LONGEST_TOLD);
  }
  return told;
}

/** The log's field, and the headers it may come from. */
const TOLD = [
  ['client', 'apollographql-client-name', 'graphql-client-name'],
  ['clientVersion', 'apollographql-client-version', 'graphql-client-version'],
  ['clientRequestId', 'x-request-id'],
] as const;

function principalOf({ caller }: RequestRecord): Record<string, string> {
  if (caller === null) return {};
  return { [caller.principal.kind === 'api_key' ? 'key' : 'user']: actorOf(caller) };
}
