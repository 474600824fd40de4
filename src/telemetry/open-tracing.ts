import { readTraceVariables } from './trace-variables.ts';
import type { Tracing } from './tracing.ts';

/**
 * Tracing as the OpenTelemetry SDK's own variables switch it on, or null; nothing of the SDK is loaded then.
 *
 * `OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`) is what switches it on. Sampling, batching, headers and
 * `OTEL_SERVICE_NAME` work as the OpenTelemetry specification says.
 * @param warn told of variables that change nothing, and of traces that no collector takes
 * @throws StartError for a variable that cannot be honoured
 */
export async function openTracing(
  environment: Readonly<Record<string, string | undefined>>,
  warn: (message: string, error?: Error) => void,
): Promise<Tracing | null> {
  const { isOn, warnings } = readTraceVariables(environment);
  for (const warning of warnings) warn(warning);
  if (!isOn) return null;
  const { createTracing } = await import('./opentelemetry.ts');
  return createTracing(warn);
}
