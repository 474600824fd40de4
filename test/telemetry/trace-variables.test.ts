/** Every `OTEL_*` variable is honoured, refused by name, or warned about by name. */
import { describe, expect, test } from 'vitest';
import { readTraceVariables } from '../../src/telemetry/trace-variables.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

test.each([
  [{}, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, false],
  [ENDPOINT, true],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '' }, true],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ' ' }, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/v1/traces' }, true],
  [{ OTEL_TRACES_EXPORTER: 'otlp' }, true],
  [{ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }, false],
  [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' }, false],
])('%j: traced %s', (environment, isOn) => {
  expect(readTraceVariables(environment)).toEqual({ isOn, warnings: [] });
});

describe('refused by name', () => {
  test.each([
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4318' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://collector:4317' },
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'collector' },
    { OTEL_TRACES_EXPORTER: 'console' },
    { OTEL_TRACES_EXPORTER: 'zipkin' },
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_EXPORTER: 'otlp' },
    { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc', ...ENDPOINT },
  ])('%j', (environment) => {
    const [name] = Object.keys(environment);
    expect(() => readTraceVariables(environment)).toThrow(new RegExp(`^${name}: .*${name}=`));
  });
});

test.each([
  { OTEL_METRICS_EXPORTER: 'otlp' },
  { OTEL_LOGS_EXPORTER: 'otlp' },
  { OTEL_LOG_LEVEL: 'debug' },
  { OTEL_PROPAGATORS: 'b3' },
  { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://collector:4318' },
  { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' },
])('warned about: %j', (environment) => {
  const [name = ''] = Object.keys(environment);
  const { warnings } = readTraceVariables({ ...environment, ...ENDPOINT });
  expect(warnings).toEqual([expect.stringMatching(`^${name}`)]);
});
