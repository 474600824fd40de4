/** `OTEL_*` as the OpenTelemetry specification words them: each is honoured, refused, or warned about. */
import { readFileSync } from 'node:fs';
import { isDecodable } from '../setting-forms.ts';
import { StartError } from '../start-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Of a variable that the SDK reads by itself from the environment of the process: what it can read. */
interface Form {
  readonly name: RegExp;
  /** The text as it was set: the SDK does not always trim it. */
  readonly fits: (text: string, environment: Environment) => boolean;
  readonly wanted: string;
}

const entriesFit = (text: string, form: RegExp): boolean =>
  text
    .split(',')
    .filter((entry) => entry.trim() !== '')
    .every((entry) => form.test(entry) && isDecodable(entry));

const isNumber = (text: string, lowest: number, highest: number): boolean =>
  Number(text) >= lowest && Number(text) <= highest;

const isSize = (text: string): boolean => isNumber(text, 1, Number.MAX_VALUE);

/** The SDK's own, where none is set. */
const QUEUE_SIZE = 2_048;
/** Of a longer time Node makes a millisecond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What does not fit the SDK drops without a word, or with one that nobody hears. */
const HONOURED: readonly Form[] = [
  {
    name: /^OTEL_SDK_DISABLED$/,
    fits: (text) => /^\s*(true|false)\s*$/i.test(text),
    wanted: 'must be true or false',
  },
  // The exporter and the protocol are checked below.
  {
    name: /^OTEL_(SERVICE_NAME|TRACES_EXPORTER|EXPORTER_OTLP_(TRACES_)?(ENDPOINT|PROTOCOL))$/,
    fits: () => true,
    wanted: '',
  },
  {
    name: /^OTEL_RESOURCE_ATTRIBUTES$/,
    // One that does not fit, and the SDK drops them all.
    fits: (text) =>
      entriesFit(text, /^\s*[^=\s][^=]*=[^=]*$/) &&
      text.split(/[,=]/).every((part) => decodeURIComponent(part.trim()).length <= 255),
    wanted:
      'must be key=value,key=value, each of at most 255 characters, with any "," "=" and "%" in it percent-encoded',
  },
  {
    name: /^OTEL_TRACES_SAMPLER$/,
    fits: (text) => /^(parentbased_)?(always_on|always_off|traceidratio)$/.test(text),
    wanted: 'must be always_on, always_off or traceidratio, or one of them after parentbased_',
  },
  {
    name: /^OTEL_TRACES_SAMPLER_ARG$/,
    fits: (text) => isNumber(text, 0, 1),
    wanted: 'must be a number from 0 to 1, for example 0.1',
  },
  {
    name: /^OTEL_EXPORTER_OTLP_(TRACES_)?HEADERS$/,
    fits: (text) => entriesFit(text, /^\s*[^=;\s]+\s*=\s*[^;\s][^;]*$/),
    wanted: 'must be name=value,name=value, with any "," ";" and "%" in it percent-encoded',
  },
  {
    name: /^OTEL_EXPORTER_OTLP_(TRACES_)?COMPRESSION$/,
    fits: (text) => /^\s*(gzip|none)\s*$/.test(text),
    wanted: 'must be gzip or none',
  },
  {
    name: /^OTEL_(EXPORTER_OTLP_(TRACES_)?TIMEOUT|BSP_(SCHEDULE_DELAY|EXPORT_TIMEOUT))$/,
    fits: (text) => isNumber(text, Number.MIN_VALUE, LONGEST_TIMER_MS),
    wanted: `must be a number of milliseconds above 0 and up to ${LONGEST_TIMER_MS}, for example 5000`,
  },
  {
    name: /^OTEL_EXPORTER_OTLP_(TRACES_)?(CERTIFICATE|CLIENT_KEY|CLIENT_CERTIFICATE)$/,
    fits: isReadable,
    wanted: 'must be the path of a PEM file that can be read',
  },
  {
    name: /^OTEL_BSP_MAX_QUEUE_SIZE$/,
    fits: isSize,
    wanted: 'must be a number from 1 on, for example 2048',
  },
  {
    name: /^OTEL_BSP_MAX_EXPORT_BATCH_SIZE$/,
    fits: (text, { OTEL_BSP_MAX_QUEUE_SIZE: queue = '' }) =>
      isNumber(text, 1, isSize(queue) ? Number(queue) : QUEUE_SIZE),
    wanted: `must be a number from 1 to OTEL_BSP_MAX_QUEUE_SIZE (by itself ${QUEUE_SIZE}), for example 512`,
  },
  {
    name: /^OTEL_((SPAN_)?ATTRIBUTE_(COUNT|VALUE_LENGTH)|SPAN_(EVENT|LINK|ATTRIBUTE_PER_EVENT|ATTRIBUTE_PER_LINK)_COUNT)_LIMIT$/,
    fits: (text) => isNumber(text, 0, Number.POSITIVE_INFINITY),
    wanted: 'must be a number from 0 on, for example 128',
  },
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
  if (endpoint !== undefined) requireUrl(endpointName, environment[endpointName] ?? '');
  const isOn = endpoint !== undefined || exporter === 'otlp';
  const set = Object.keys(environment).filter(
    (name) => name.startsWith('OTEL_') && value(name) !== undefined,
  );
  const warnings = set.flatMap((name) => warningOf(name, environment, isOn));
  const idle = set.filter((name) => name !== 'OTEL_SDK_DISABLED' && formOf(name) !== undefined);
  if (!isOn && idle.length > 0) {
    warnings.push(
      `${idle.join(', ')}: set, but nothing is traced; for example ` +
        'OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318 switches it on',
    );
  }
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

const formOf = (name: string): Form | undefined => HONOURED.find((form) => form.name.test(name));

function warningOf(name: string, environment: Environment, isOn: boolean): string[] {
  const text = environment[name] ?? '';
  const form = formOf(name);
  if (form === undefined) {
    return isHarmless(name, text.trim())
      ? []
      : [
          `${name} is not used: it is no variable of traces by OTLP over HTTP, and only those are sent`,
        ];
  }
  if (!isOn) return [];
  // Never with the value: a header may be a secret.
  if (!form.fits(text, environment)) return [`${name} is not honoured: it ${form.wanted}`];
  const isIdle =
    name === 'OTEL_TRACES_SAMPLER_ARG' &&
    !/traceidratio$/.test(environment.OTEL_TRACES_SAMPLER ?? '');
  return isIdle
    ? [
        `${name} is not used: only OTEL_TRACES_SAMPLER=traceidratio and parentbased_traceidratio take it`,
      ]
    : [];
}

/** What asks for nothing else than what is done. */
const isHarmless = (name: string, value: string): boolean =>
  value === 'none' ||
  (name === 'OTEL_PROPAGATORS' &&
    /^(tracecontext|baggage)(, *(tracecontext|baggage))*$/.test(value));

function isReadable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

/** @param text as it was set: the SDK appends to it as it is */
function requireUrl(name: string, text: string): void {
  const url = /\s/.test(text) ? null : URL.parse(text);
  const isAddress = url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '';
  const isWhole = name.includes('_TRACES_') || !/[?#]/.test(text);
  if (isAddress && isWhole) return;
  const problem = isAddress
    ? 'must have no query, for /v1/traces is appended to it: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is taken as it is'
    : 'must be an http:// or https:// address';
  throw new StartError(name, `${problem}; for example ${name}=http://localhost:4318`);
}
