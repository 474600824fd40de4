/** Probes of every path and method, made of the OpenAPI document that the gateway serves. */
import type { PermissionSet } from '../../../src/model/api-key.entity.ts';
import { samplePack } from '../../support/archives.ts';
import type { Json } from '../../support/gateway.ts';
import type { Answer, Probe } from './prober.ts';
import type { World } from './world.ts';

/** What callers write into a string, by its name; `archive` is a file. */
const strings: Readonly<Record<string, Probe['kind'] | 'archive'>> = {
  id: 'id',
  pack_ids: 'id',
  role_ids: 'id',
  path: 'text',
  under: 'text',
  subject_id: 'id',
  cursor: 'cursor',
  image_ref: 'image',
  name: 'text',
  display_name: 'text',
  description: 'text',
  category: 'text',
  name_contains: 'text',
  archive: 'archive',
};

const methods = ['get', 'head', 'options', 'post', 'put', 'patch', 'delete'] as const;

/** One request of the document: where its values go is told by `place`. */
interface Operation {
  readonly name: string;
  readonly method: string;
  readonly isDocumented: boolean;
  readonly path: string;
  readonly parameters: Json[];
  readonly contentType: string | undefined;
  readonly schema: Json;
}

interface Slot {
  readonly place: 'path' | 'query' | 'body';
  readonly field: string;
  readonly kind: Probe['kind'] | 'archive';
  readonly isList: boolean;
}

export function restProbes(document: Json, world: World): Probe[] {
  return operationsOf(document).flatMap((operation) => {
    const slots = slotsOf(operation, document);
    return slots.flatMap((slot) => probesOf(operation, slot, document, world));
  });
}

function operationsOf(document: Json): Operation[] {
  return Object.entries<Json>(document.paths).flatMap(([path, item]) =>
    // Methods that a path does not have must not tell anything either.
    methods
      .filter((method) => method in item || path.includes('{'))
      .map((method) => {
        const declared = item[method] ?? { parameters: anyOf(item).parameters };
        const [content] = Object.entries<Json>(declared.requestBody?.content ?? {});
        return {
          name: `${method.toUpperCase()} ${path}`,
          method: method.toUpperCase(),
          isDocumented: method in item,
          path,
          parameters: [...(item.parameters ?? []), ...(declared.parameters ?? [])],
          contentType: content?.[0],
          schema: content?.[1].schema ?? null,
        };
      }),
  );
}

const anyOf = (item: Json): Json => Object.values(item)[0];

function slotsOf({ name, parameters, schema }: Operation, document: Json): Slot[] {
  // A header here is an ETag, which is compared with what was found and finds nothing by itself.
  const inUrl = parameters
    .filter((parameter) => parameter.in !== 'header')
    .map((parameter) => ({
      place: parameter.in,
      field: parameter.name,
      schema: parameter.schema,
    }));
  const inBody = Object.entries(propertiesOf(schema, document)).map(([field, of]) => ({
    place: 'body',
    field,
    schema: of,
  }));
  return [...inUrl, ...inBody].flatMap(({ place, field, schema: of }): Slot[] => {
    const { kind, isList } = kindOf(field, of, document, `${name}: ${field}`);
    if (kind === null) return [];
    if (place === 'path' || place === 'query' || place === 'body') {
      return [{ place, field, kind, isList }];
    }
    throw new Error(`${name}: fill ${field} in ${place} in cross-org/rest-probes.ts`);
  });
}

function kindOf(field: string, schema: Json, document: Json, where: string) {
  const resolved = resolve(schema, document);
  const isList = [resolved.type].flat().includes('array');
  const inner = isList ? resolve(resolved.items, document) : resolved;
  const types: string[] = [inner.type].flat();
  if (types.some((type) => type === 'integer' || type === 'boolean')) return { kind: null, isList };
  if (inner.enum !== undefined || inner.format === 'date-time') return { kind: null, isList };
  const kind = types.includes('string') ? strings[field] : undefined;
  if (kind !== undefined) return { kind, isList };
  throw new Error(
    `${where}, ${JSON.stringify(inner)}, is new: say in cross-org/rest-probes.ts whether callers write an id, a cursor, an image reference or a text there`,
  );
}

const resolve = (schema: Json, document: Json): Json => {
  const name = /^#\/components\/schemas\/(.+)$/.exec(schema?.$ref ?? '')?.[1];
  return name === undefined ? (schema ?? {}) : document.components.schemas[name];
};

const propertiesOf = (schema: Json, document: Json): Record<string, Json> =>
  resolve(schema, document).properties ?? {};

function probesOf(operation: Operation, slot: Slot, document: Json, world: World): Probe[] {
  const probe = (label: string, placed: (value: string) => unknown): Probe => ({
    name: `${operation.name} ${slot.field}${label}`,
    kind: slot.kind === 'archive' ? 'text' : slot.kind,
    byAll: operation.isDocumented && (slot.kind === 'id' || slot.kind === 'cursor'),
    request: (value) => requestFor(operation, slot, placed(value), document, world),
    refusal: (answer, asked) => refusalOf(operation, slot, answer, asked),
  });
  const alone = probe('', (value) => value);
  if (!slot.isList) return [alone];
  return [alone, probe(', with an own one', (value) => [world.own.pack, value])];
}

let made = 0;

function requestFor(
  { method, path, parameters, contentType, schema }: Operation,
  { place, field, kind, isList }: Slot,
  value: unknown,
  document: Json,
  world: World,
): Request {
  const required: string[] = resolve(schema, document).required ?? [];
  const body: Json = Object.fromEntries(
    required.map((name) => [name, ownValue(name, propertiesOf(schema, document)[name], document)]),
  );
  const own = path.replace('{id}', ownIdOf(path, world)).replace('{path}', 'pack.yaml');
  const url = new URL(`http://gateway${own}`);
  for (const { name, in: where, required: isRequired } of parameters) {
    if (where === 'query' && isRequired) throw new Error(`${path}: fill the required ${name}`);
  }
  if (place === 'path') {
    url.pathname = path
      .replace(`{${field}}`, () => String(value))
      .replace('{id}', ownIdOf(path, world))
      .replace('{path}', 'pack.yaml');
  }
  if (place === 'query') url.searchParams.set(field, String(value));
  if (place === 'body') body[field] = isList && !Array.isArray(value) ? [value] : value;
  if (decodeURI(url.pathname).includes('{')) throw new Error(`${path}: fill its parameters`);
  if (contentType === undefined) return new Request(url, { method });
  if (contentType === 'application/json') {
    const headers = { 'content-type': contentType };
    return new Request(url, { method, headers, body: JSON.stringify(body) });
  }
  if (contentType === 'application/octet-stream') {
    return new Request(url, { method, body: 'bytes' });
  }
  if (contentType !== 'multipart/form-data') {
    throw new Error(`${path}: send ${contentType} in cross-org/rest-probes.ts`);
  }
  const form = new FormData();
  form.set(
    'archive',
    new File(
      [new Uint8Array(samplePack({ name: kind === 'archive' ? String(value) : 'own-used' }))],
      'a.tar.gz',
    ),
  );
  return new Request(url, { method, body: form });
}

function ownValue(field: string, schema: Json, document: Json): unknown {
  const { enum: values } = resolve(schema, document);
  if (values !== undefined) return values[0];
  if (strings[field] === 'image') return 'packs/default/own-used:1.0.0';
  made += 1;
  return `probe-${made}`;
}

function ownIdOf(path: string, { own }: World): string {
  if (path.startsWith('/v1/packs')) return own.pack;
  if (path.startsWith('/v1/agent-roles')) return own.role;
  if (!path.includes('{')) return '';
  throw new Error(`say in cross-org/rest-probes.ts which id of the prober's goes into ${path}`);
}

/** For a foreign id: 404 in the path and for one in a body, 400 for one of several, an empty list for a filter. */
function refusalOf(
  { method }: Operation,
  { place, kind, field }: Slot,
  { status, body }: Answer,
  asked: PermissionSet,
): string | null {
  if (method === 'OPTIONS' || status === 405) return null;
  if (status === 403 && asked === 'READ_ONLY' && body.error.code === 'permission_denied') {
    return null;
  }
  if (kind === 'cursor') return status === 200 ? null : 'is not a page';
  if (kind === 'image') return status === 400 ? null : 'is not refused';
  if (kind !== 'id') return status < 500 ? null : 'is a fault';
  if (place === 'query') {
    const [items] = Object.values(body).filter(Array.isArray);
    return status === 200 && items?.length === 0 ? null : `${field} is something`;
  }
  if (status !== 404) return 'is not the not-found of the contract';
  if (method === 'HEAD') return null;
  return /^(?:pack|agent_role)_not_found$/.test(body.error.code) ? null : 'is another not-found';
}
