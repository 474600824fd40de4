/** Tracing by the OpenTelemetry SDK. Contexts are passed by hand: nothing global is registered. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import type { StatementEvent } from '../database/connect.ts';
import type { TracedRequest, Tracing } from './tracing.ts';

/** Milliseconds: a collector that is down must not use up the time in which the process has to end. */
const LONGEST_FLUSH_MS = 2_000;

/** The exporter, sampler and batches read the process's `OTEL_*` variables themselves. */
export function createTracing(warn: (message: string, error?: Error) => void): Tracing {
  const named = resourceFromAttributes({ 'service.name': 'pack-gateway' });
  const resource = defaultResource()
    .merge(named)
    .merge(detectResources({ detectors: [envDetector] }));
  const spanProcessors = [new BatchSpanProcessor(telling(new OTLPTraceExporter(), warn))];
  const provider = new BasicTracerProvider({ resource, spanProcessors });
  const tracer = provider.getTracer('pack-gateway');
  const current = new AsyncLocalStorage<Context>();

  /** A span for what has just ended, where a request asked for it. */
  const past = (name: string, milliseconds: number, failed: boolean, attributes: Attributes) => {
    const context = current.getStore();
    if (context === undefined) return;
    const end = Date.now();
    const options = { kind: SpanKind.CLIENT, startTime: end - milliseconds, attributes };
    const span = tracer.startSpan(name, options, context);
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(end);
  };

  return {
    async request({ method, route, headers }, request, answer) {
      const options = {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': method, 'http.route': route },
      };
      const span = tracer.startSpan(`${method} ${route}`, options, callersContext(headers));
      request.traceId = span.spanContext().traceId;
      try {
        const context = trace.setSpan(ROOT_CONTEXT, span);
        const response = await current.run(context, answer);
        describe(span, request, response.status);
        return response;
      } finally {
        span.end();
      }
    },
    statement(event) {
      const verb = /^\s*(\w+)/.exec(event.sql)?.[1] ?? 'sql';
      const attributes = { 'db.system.name': 'postgresql', 'db.query.text': withoutData(event) };
      past(verb, event.milliseconds, event.failed, attributes);
    },
    registryCall({ operation, repository, status, outcome, milliseconds }) {
      past(`registry ${operation}`, milliseconds, outcome !== 'ok' && outcome !== 'missing', {
        'pack_gateway.repository': repository,
        'pack_gateway.outcome': outcome,
        ...(status === undefined ? {} : { 'http.response.status_code': status }),
      });
    },
    async close() {
      const sent = provider.shutdown().catch(() => undefined);
      const late = pause(LONGEST_FLUSH_MS, 'late' as const, { ref: false });
      if ((await Promise.race([sent, late])) === 'late') warn('the last traces were not exported');
    },
  };
}

/** Tells of the first export that fails after one that did not: a collector that is away stays so for many. */
function telling(
  exporter: SpanExporter,
  warn: (message: string, error?: Error) => void,
): SpanExporter {
  let isFailing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== 0;
        if (failed && !isFailing) warn('traces are not exported', result.error);
        isFailing = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

/** A statement's text, which ends before its first literal where it may hold a caller's values. */
const withoutData = ({ sql, hasValues }: StatementEvent): string =>
  (hasValues ? sql : sql.replace(/(?:'|\b\d).*/s, '…')).trim();

function describe(span: Span, request: TracedRequest, status: number): void {
  if (request.operation !== null) span.updateName(request.operation);
  span.setAttributes({
    'http.response.status_code': status,
    'pack_gateway.request_id': request.requestId,
    'pack_gateway.outcome': request.outcomes.join(' ') || 'ok',
    ...(request.caller === null ? {} : { 'pack_gateway.org': request.caller.orgId }),
  });
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
}

const propagator = new W3CTraceContextPropagator();

/** The trace that a request says it is part of. */
const callersContext = (headers: Headers): Context =>
  propagator.extract(ROOT_CONTEXT, headers, {
    get: (from, name) => from.get(name) ?? undefined,
    keys: (from) => [...from.keys()],
  });
