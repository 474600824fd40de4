import type { StatementEvent } from '../database/connect.ts';
import type { RegistryCall } from '../registry/registry.ts';
import type { RequestRecord } from '../request-record.ts';

/** Traces of requests, with what they asked of database and registry. */
export interface Tracing {
  /** Answers a request within a span, which continues the trace of the caller's `traceparent`. */
  request<Answer extends { readonly status: number }>(
    arrival: {
      readonly method: string;
      readonly route: string;
      readonly traceparent: string | null;
    },
    record: RequestRecord,
    answer: () => Promise<Answer>,
  ): Promise<Answer>;
  statement(event: StatementEvent): void;
  registryCall(call: RegistryCall): void;
  /** Sends what has not been sent yet. */
  close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Tracing as the OpenTelemetry SDK's own variables switch it on, or null; nothing of the SDK is loaded then.
 *
 * `OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`) is what switches it on. Sampling, batching, headers and
 * `OTEL_SERVICE_NAME` work as the OpenTelemetry specification says.
 */
export async function openTracing(environment: Environment): Promise<Tracing | null> {
  const endpoint =
    environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? environment.OTEL_EXPORTER_OTLP_ENDPOINT;
  const isOff =
    environment.OTEL_SDK_DISABLED?.toLowerCase() === 'true' ||
    environment.OTEL_TRACES_EXPORTER === 'none';
  if (endpoint === undefined || endpoint === '' || isOff) return null;
  const { createTracing } = await import('./opentelemetry.ts');
  return createTracing();
}
