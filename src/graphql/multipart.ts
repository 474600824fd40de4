/**
 * Uploads by the GraphQL multipart request specification: the operation is read first, and judged like any other; its
 * files are read, to disk, only when it runs and one of its fields may take them.
 */
import { type ExecutionArgs, type GraphQLField, getNamedType } from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';
import { z } from 'zod';
import type { AtOnce } from '../http/at-once.ts';
import { mediaTypeOf } from '../http/media-type.ts';
import { parseJson } from '../http/parse-json.ts';
import { MOST_FILES, openMultipart } from '../http/read-multipart.ts';
import { SpooledFile } from '../http/spooled-file.ts';
import type { Caller } from '../identity/caller.ts';
import { RequestRefused } from '../request-refused.ts';
import { scopeNeededBy } from './needs.ts';
import { paramsOf } from './request-params.ts';
import { rootFields } from './root-fields.ts';
import type { PendingUpload, ServerContext, YogaPlugin } from './server-context.ts';

const TEXTS = new Set(['operations', 'map']);
const LARGEST_MAP = 4 * 1024;
const MOST_PLACES = 20;

/** @param maxFileBytes largest file */
export function useMultipart(maxFileBytes: number, uploads: AtOnce): YogaPlugin {
  return {
    onRequestParse({ request, serverContext, setRequestParser }) {
      const mediaType = mediaTypeOf(request.headers.get('content-type'));
      if (request.method !== 'POST' || mediaType !== 'multipart/form-data') return;
      setRequestParser(async () => {
        const multipart = await openMultipart(request, { texts: TEXTS, maxFileBytes });
        serverContext.disposables.use(multipart);
        const { params, files } = withPlaces(multipart.fields);
        serverContext.upload = { multipart, files };
        return params;
      });
    },
    async onExecute({ args }) {
      const { record, upload, turns }: ServerContext = args.contextValue;
      if (upload === undefined || record.caller === null) return;
      if (!mayTakeFiles(args, record.caller)) return;
      turns.use(uploads.begin(record.caller.orgId));
      await receive(upload);
    },
  };
}

/** Whether a root field that takes files is one that the caller may ask for; any other refuses by itself. */
const mayTakeFiles = ({ schema, document, operationName }: ExecutionArgs, { scopes }: Caller) =>
  rootFields(schema, document, operationName).some((field) => {
    const scope = scopeNeededBy(field);
    return takesFile(field) && (scope === null || scopes.has(scope));
  });

const takesFile = ({ args }: GraphQLField<unknown, unknown>): boolean =>
  args.some(({ type }) => getNamedType(type).name === 'File');

async function receive({ multipart, files }: PendingUpload): Promise<void> {
  const arrived = await multipart.files((name) => files.has(name), 'refused');
  for (const [name, file] of files) {
    const { path, size } = arrived.get(name) ?? missing(name);
    file.arrive(path, size);
  }
}

function missing(name: string): never {
  throw malformed(`"map" names the part ${JSON.stringify(name)}, which was not sent.`);
}

const mapSchema = z.record(z.string(), z.array(z.string()));

/** Puts a file that is still to come in each place that `map` names. */
function withPlaces(fields: ReadonlyMap<string, string>): {
  readonly params: GraphQLParams;
  readonly files: ReadonlyMap<string, SpooledFile>;
} {
  const operations = parsed('operations', fields);
  const params = paramsOf(operations);
  const map = mapSchema.safeParse(parsed('map', fields, LARGEST_MAP)).data;
  if (map === undefined)
    throw malformed('The field "map" must be an object whose values are lists of strings.');
  const entries = Object.entries(map);
  const places = entries.reduce((sum, [, paths]) => sum + paths.length, 0);
  if (entries.length > MOST_FILES || places > MOST_PLACES) {
    throw malformed(`"map" may name ${MOST_FILES} files, and ${MOST_PLACES} places for them.`);
  }
  const files = new Map<string, SpooledFile>();
  for (const [name, paths] of entries) {
    const file = new SpooledFile();
    files.set(name, file);
    for (const path of paths) place(params, path, file);
  }
  return { params, files };
}

function place(params: GraphQLParams, path: string, file: SpooledFile): void {
  let target: object = params;
  const keys = path.split('.');
  for (const [index, key] of keys.entries()) {
    // Only what JSON.parse made is walked into, and only over its own properties; what is replaced held null.
    const value: unknown = Object.hasOwn(target, key) ? Reflect.get(target, key) : undefined;
    const isLast = index === keys.length - 1;
    if (isLast && value === null) Reflect.set(target, key, file);
    else if (!isLast && typeof value === 'object' && value !== null) target = value;
    else throw malformed(PLACE);
  }
}

const PLACE = '"map" must name places in "operations" that hold null, such as "variables.archive".';

function parsed(name: string, fields: ReadonlyMap<string, string>, longest = Infinity): unknown {
  const text = fields.get(name);
  if (text === undefined) {
    throw malformed(`The field "${name}" is missing, or comes after a file.`);
  }
  if (text.length > longest) throw malformed(`The field "${name}" is too long.`);
  return parseJson(`The field "${name}"`, text);
}

const malformed = (what: string) =>
  new RequestRefused('bad_request', `${what} See the GraphQL multipart request specification.`);
