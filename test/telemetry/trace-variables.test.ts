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
  [{ OTEL_SDK_DISABLED: 'True', OTEL_SERVICE_NAME: 'packs' }, false],
  [{ OTEL_SDK_DISABLED: 'false', OTEL_METRICS_EXPORTER: 'none' }, false],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/in?key=1' }, true],
  [{ ...ENDPOINT, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0' }, true],
  [{ ...ENDPOINT, OTEL_TRACES_SAMPLER: 'parentbased_always_off' }, true],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer abc==, x-a=%2C' }, true],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip', OTEL_BSP_SCHEDULE_DELAY: '200' }, true],
  [{ ...ENDPOINT, OTEL_RESOURCE_ATTRIBUTES: 'env=prod%20eu,team=,' }, true],
  [{ ...ENDPOINT, OTEL_EXPORTER_OTLP_CERTIFICATE: import.meta.filename }, true],
  [{ ...ENDPOINT, OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2048' }, true],
  [{ ...ENDPOINT, OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4096', OTEL_BSP_MAX_QUEUE_SIZE: '4096' }, true],
  [{ ...ENDPOINT, OTEL_BSP_SCHEDULE_DELAY: '2147483647' }, true],
  [{ ...ENDPOINT, OTEL_SPAN_ATTRIBUTE_PER_EVENT_COUNT_LIMIT: '8' }, true],
])('%j: traced %s', (environment, isOn) => {
  expect(readTraceVariables(environment)).toEqual({ isOn, warnings: [] });
});

describe('refused by name', () => {
  test.each([
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4318' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'grpc://collector:4317' },
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'collector' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/base/?key=1' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/#base' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318 ' },
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
  { OTEL_SDK_DISABLED: '1' },
  { OTEL_TRACES_SAMPLER: 'always-off' },
  { OTEL_TRACES_SAMPLER: 'ALWAYS_OFF' },
  { OTEL_TRACES_SAMPLER: 'parentbased_jaeger_remote' },
  { OTEL_TRACES_SAMPLER_ARG: '0,0', OTEL_TRACES_SAMPLER: 'traceidratio' },
  { OTEL_TRACES_SAMPLER_ARG: '1.5', OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' },
  { OTEL_TRACES_SAMPLER_ARG: '0.5', OTEL_TRACES_SAMPLER: 'always_on' },
  { OTEL_EXPORTER_OTLP_HEADERS: 'authorization: Bearer sekret' },
  { OTEL_EXPORTER_OTLP_HEADERS: 'x-a=1,authorization=' },
  { OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'cookie=sekret;other=2' },
  { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=sekret%' },
  { OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd' },
  { OTEL_EXPORTER_OTLP_TIMEOUT: '5s' },
  { OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '0' },
  { OTEL_EXPORTER_OTLP_CERTIFICATE: '/no/such/ca.pem' },
  { OTEL_RESOURCE_ATTRIBUTES: 'a=b,bad' },
  { OTEL_RESOURCE_ATTRIBUTES: 'a=b=c' },
  { OTEL_RESOURCE_ATTRIBUTES: 'a=b%' },
  { OTEL_RESOURCE_ATTRIBUTES: `a=${'b'.repeat(256)}` },
  { OTEL_BSP_MAX_QUEUE: '10' },
  { OTEL_BSP_SCHEDULE_DELAY: '5s' },
  { OTEL_BSP_MAX_QUEUE_SIZE: '0' },
  { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2049' },
  { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '512', OTEL_BSP_MAX_QUEUE_SIZE: '100' },
  { OTEL_BSP_SCHEDULE_DELAY: '2147483648' },
  { OTEL_BSP_EXPORT_TIMEOUT: '5000000000' },
  { OTEL_EXPORTER_OTLP_TIMEOUT: '1e300' },
  { OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '5x' },
  { OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '5' },
])('warned about: %j', (environment) => {
  const [name = ''] = Object.keys(environment);
  const { warnings } = readTraceVariables({ ...environment, ...ENDPOINT });
  expect(warnings).toEqual([expect.stringMatching(`^${name}\\b`)]);
  expect(warnings.join()).not.toContain('sekret');
});

test('what is set while nothing is traced is told in one line', () => {
  const set = { OTEL_SERVICE_NAME: 'packs', OTEL_TRACES_SAMPLER: 'always_on' };
  expect(readTraceVariables({ ...set, OTEL_SDK_DISABLED: 'false' })).toEqual({
    isOn: false,
    warnings: [
      expect.stringMatching(
        /^OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER: .*OTEL_EXPORTER_OTLP_ENDPOINT=/,
      ),
    ],
  });
});
