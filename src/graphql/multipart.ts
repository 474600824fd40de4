/** Uploads by the GraphQL multipart request specification, streamed to disk instead of held in memory. */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { GraphQLParams } from 'graphql-yoga';
import { z } from 'zod';
import { mediaTypeOf } from '../http/media-type.ts';
import { type Multipart, readMultipart } from '../http/read-multipart.ts';
import { RequestRefused } from '../request-refused.ts';
import type { YogaPlugin } from './server-context.ts';

/** @param maxFileBytes largest file */
export function useMultipart(maxFileBytes: number): YogaPlugin {
  return {
    onRequestParse({ request, serverContext, setRequestParser }) {
      const contentType = request.headers.get('content-type') ?? '';
      if (request.method !== 'POST' || mediaTypeOf(contentType) !== 'multipart/form-data') return;
      setRequestParser(async () => {
        if (request.body === null) throw malformed('The body is empty.');
        // Both are the web's ReadableStream; the ponyfill's type and Node's do not know each other.
        const body = Readable.fromWeb(request.body as unknown as ReadableStream);
        const multipart = await readMultipart(body, contentType, { maxFileBytes });
        serverContext.disposables.use(multipart);
        return paramsOf(multipart);
      });
    },
  };
}

const operationsSchema = z.looseObject({
  query: z.string().optional(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});
const mapSchema = z.record(z.string(), z.array(z.string()).max(10));

/** Puts the files in the places that `map` names. */
function paramsOf({ fields, files }: Multipart): GraphQLParams {
  const operations = parse('operations', operationsSchema, fields.get('operations'));
  const map = parse('map', mapSchema, fields.get('map'));
  for (const [part, paths] of Object.entries(map)) {
    const file = files.get(part);
    if (file === undefined) throw malformed(`"map" names the part "${part}", which is not there.`);
    for (const path of paths) place(operations, path.split('.'), file);
  }
  const { query, variables, operationName, ...rest } = operations;
  return {
    ...rest,
    ...(query === undefined ? {} : { query }),
    ...(variables == null ? {} : { variables }),
    ...(operationName == null ? {} : { operationName }),
  };
}

function place(operations: object, path: readonly string[], file: unknown): void {
  const [key, ...rest] = path;
  // Only what JSON.parse made is walked into, and only over its own properties that hold null.
  if (key === undefined || !Object.hasOwn(operations, key)) throw malformed(PLACE);
  const target: unknown = Reflect.get(operations, key);
  if (rest.length === 0 && target === null) Reflect.set(operations, key, file);
  else if (typeof target === 'object' && target !== null) place(target, rest, file);
  else throw malformed(PLACE);
}

const PLACE = '"map" must name places in "operations" that hold null, such as "variables.archive".';

function parse<T>(name: string, schema: z.ZodType<T>, text: string | undefined): T {
  if (text === undefined) throw malformed(`The field "${name}" is missing.`);
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw malformed(`The field "${name}" is not what the specification asks for.`);
  }
}

const malformed = (what: string) =>
  new RequestRefused('bad_request', `${what} See the GraphQL multipart request specification.`);
