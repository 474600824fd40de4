/** `OTEL_*` as the OpenTelemetry specification words them: each is honoured, refused, or warned about. */
import { StartError } from '../start-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Read by the SDK itself, from the environment of the process. */
const HONOURED = [
  /^OTEL_SDK_DISABLED$/,
  /^OTEL_SERVICE_NAME$/,
  /^OTEL_RESOURCE_ATTRIBUTES$/,
  /^OTEL_TRACES_(EXPORTER|SAMPLER|SAMPLER_ARG)$/,
  /^OTEL_EXPORTER_OTLP_(TRACES_)?(ENDPOINT|HEADERS|TIMEOUT|COMPRESSION|PROTOCOL)$/,
  /^OTEL_EXPORTER_OTLP_(TRACES_)?(CERTIFICATE|CLIENT_KEY|CLIENT_CERTIFICATE)$/,
  /^OTEL_BSP_/,
  /^OTEL_(SPAN|EVENT|LINK)?_?(ATTRIBUTE|EVENT|LINK)_(VALUE_LENGTH|COUNT)_LIMIT$/,
];

export interface TraceVariables {
  readonly isOn: boolean;
  /** What is set, and changes nothing. */
  readonly warnings: readonly string[];
}

/**
 * Whether requests are traced: where an endpoint is named, or the exporter is.
 * @throws StartError with what to write instead
 */
export function readTraceVariables(environment: Environment): TraceVariables {
  // An empty value is the same as none, also beside one that is not.
  const value = (name: string) => environment[name]?.trim() || undefined;
  const ofTraces = (name: string): readonly [name: string, value: string | undefined] => {
    const special = `OTEL_EXPORTER_OTLP_TRACES_${name}`;
    const general = `OTEL_EXPORTER_OTLP_${name}`;
    return value(special) === undefined ? [general, value(general)] : [special, value(special)];
  };
  const exporter = value('OTEL_TRACES_EXPORTER')?.toLowerCase();
  if (value('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || exporter === 'none') {
    return { isOn: false, warnings: [] };
  }
  if (exporter !== undefined && exporter !== 'otlp') {
    const problem = `"${exporter}" is not supported, only otlp and none`;
    throw new StartError(
      'OTEL_TRACES_EXPORTER',
      `${problem}; for example OTEL_TRACES_EXPORTER=otlp`,
    );
  }
  const [endpointName, endpoint] = ofTraces('ENDPOINT');
  if (endpoint !== undefined) requireUrl(endpointName, endpoint);
  const isOn = endpoint !== undefined || exporter === 'otlp';
  const warnings = Object.keys(environment)
    .filter((name) => name.startsWith('OTEL_') && value(name) !== undefined)
    .filter(
      (name) => !HONOURED.some((honoured) => honoured.test(name)) && !isHarmless(name, value(name)),
    )
    .map((name) => `${name} is not used: this service sends only traces, by OTLP over HTTP`);
  const [protocolName, protocol] = ofTraces('PROTOCOL');
  if (isOn && protocol === 'http/protobuf') {
    warnings.push(
      `${protocolName}: traces are sent as http/json, which collectors take at the same address`,
    );
  } else if (isOn && protocol !== undefined && protocol !== 'http/json') {
    throw new StartError(
      protocolName,
      `"${protocol}" is not supported, only http/json (port 4318 of a collector); for example ${protocolName}=http/json`,
    );
  }
  return { isOn, warnings };
}

/** What asks for nothing else than what is done. */
const isHarmless = (name: string, value: string | undefined): boolean =>
  value === 'none' ||
  (name === 'OTEL_PROPAGATORS' &&
    /^(tracecontext|baggage)(, *(tracecontext|baggage))*$/.test(value ?? ''));

function requireUrl(name: string, text: string): void {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '') return;
  const problem = 'must be an http:// or https:// address';
  throw new StartError(name, `${problem}; for example ${name}=http://localhost:4318`);
}
