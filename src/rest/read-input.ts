/** What an operation reads of a request: a part of it, checked by the schema that documents it. */
import type { RouteConfig, z } from '@hono/zod-openapi';
import { type FieldProblem, firstProblems } from '../field-problem.ts';
import type { Body as SentBody } from '../http/bodies.ts';
import { parseJson } from '../http/parse-json.ts';
import { openMultipart } from '../http/read-multipart.ts';
import { spoolBody } from '../http/spool-body.ts';
import type { SpooledFile } from '../http/spooled-file.ts';
import { LONGEST_SHOWN_KEY, type Validated, validate } from '../input.ts';
import { type RefusalCode, RequestRefused } from '../request-refused.ts';

export interface BodyContext {
  /** Bytes. */
  readonly maxFileBytes: number;
  /** Counts one more upload; @throws RequestRefused where there are too many */
  beginUpload(): void;
  readonly sent: SentBody;
  /** Ends when the request has been answered. */
  readonly disposables: AsyncDisposableStack;
}

export type DocumentedBody = NonNullable<NonNullable<RouteConfig['request']>['body']>;

/** How an operation takes its body. */
export interface Body<T> {
  readonly documented: DocumentedBody | null;
  readonly refusals: readonly RefusalCode[];
  /** @throws RequestRefused where it is not even of the right form */
  read(request: Request, context: BodyContext): Promise<Validated<T>>;
}

/** Checks a query string: with a filter misspelled or given twice, the wrong list would be taken for the right one. */
export function readQuery<S extends z.ZodObject>(
  schema: S,
  parameters: URLSearchParams,
): Validated<z.output<S>> {
  const checked = validate(schema, Object.fromEntries(parameters), 'query');
  const seen = new Set<string>();
  const problems: FieldProblem[] = [];
  for (const name of parameters.keys()) {
    const path = name.slice(0, LONGEST_SHOWN_KEY) || 'query';
    if (!Object.hasOwn(schema.shape, name)) {
      problems.push({ path, message: 'is not a parameter of this request' });
    } else if (seen.has(name)) {
      problems.push({ path, message: 'is given more than once' });
    }
    seen.add(name);
  }
  if (problems.length === 0) return checked;
  const others = checked.kind === 'valid' ? [] : checked.fields;
  return { kind: 'validation_failed', fields: firstProblems([...problems, ...others]) };
}

export const noBody: Body<undefined> = {
  documented: null,
  refusals: [],
  read: async () => ({ kind: 'valid', value: undefined }),
};

const bodyRefusals = ['bad_request', 'payload_too_large', 'unsupported_media_type'] as const;

/** @param options.optional an empty body stands for `{}` */
export function jsonBody<S extends z.ZodType>(
  schema: S,
  { optional } = { optional: false },
): Body<z.output<S>> {
  return {
    documented: { content: { 'application/json': { schema } }, required: !optional },
    refusals: bodyRefusals,
    async read(request, { sent }) {
      const text = await sent.text();
      if (text === '' && optional) return validate(schema, {}, 'body');
      if (!/^application\/(?:[^;]+\+)?json\s*(?:;|$)/i.test(contentTypeOf(request))) {
        throw new RequestRefused('unsupported_media_type', 'Send the body as application/json.');
      }
      return validate(schema, parseJson('The body', text), 'body');
    },
  };
}

/**
 * @param schema the parts: a SpooledFile for a file, text for anything else
 * @param texts the names of those that are texts
 */
export function multipartBody<S extends z.ZodObject>(
  schema: S,
  documented: DocumentedBody,
  texts: ReadonlySet<string>,
): Body<z.output<S>> {
  return {
    documented,
    refusals: [...bodyRefusals, 'rate_limited'],
    async read(request, { maxFileBytes, beginUpload, disposables }) {
      if (!/^multipart\/form-data\s*;/i.test(contentTypeOf(request))) {
        throw new RequestRefused('unsupported_media_type', 'Send the body as multipart/form-data.');
      }
      beginUpload();
      const multipart = disposables.use(await openMultipart(request, { texts, maxFileBytes }));
      // The schema refuses the others by their names, as those of JSON.
      const files = await multipart.files((name) => Object.hasOwn(schema.shape, name), 'named');
      return validate(schema, Object.fromEntries([...multipart.fields, ...files]), 'body');
    },
  };
}

const contentTypeOf = (request: Request) => request.headers.get('content-type') ?? '';

/** The body as it is, kept on disk. */
export const bytesBody: Body<SpooledFile> = {
  documented: {
    required: true,
    content: {
      'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
    },
  },
  refusals: [...bodyRefusals, 'rate_limited'],
  async read(request, { maxFileBytes, beginUpload, disposables }) {
    // A server that does not support it must not take a part for the whole (RFC 9110, 14.5).
    if (request.headers.has('content-range')) {
      throw new RequestRefused('bad_request', 'Send the whole file, without Content-Range.');
    }
    beginUpload();
    return { kind: 'valid', value: await spoolBody(request, maxFileBytes, disposables) };
  },
};
