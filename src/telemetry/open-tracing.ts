import type { Tracing } from './tracing.ts';

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
