/** An operation that answers bytes; what it has in common with the others is declared as theirs is. */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { z } from '@hono/zod-openapi';
import { create as contentDisposition } from 'content-disposition';
import type { Caller } from '../identity/caller.ts';
import { isProblem, type ProblemOf } from '../outcomes.ts';
import type { ReadingWorld } from '../packs/contents/reading-world.ts';
import { noQuery, type PathParameters } from './declaration.ts';
import type { Operation } from './operation.ts';
import { isKnown } from './packs/etags.ts';
import { problemResponse } from './problem-response.ts';
import { noBody, readQuery } from './read-input.ts';
import { routeOf } from './route.ts';

/** What is sent. Disposed once it is sent or the caller has left. */
export interface Download extends Disposable {
  readonly kind: 'download';
  readonly name: string;
  readonly contentType: string;
  /** Bytes; null where only sending it will tell. */
  readonly size: number | null;
  readonly etag: string;
  readonly read: () => AsyncIterable<Uint8Array>;
}

type Refused = ProblemOf<'not_found' | 'registry_unavailable'>;

interface Declaration {
  readonly path: `/v1/${string}`;
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly mediaType: string;
  /** Whether it holds a connection to the registry for as long as it is read. */
  readonly fromRegistry: boolean;
  open(
    world: ReadingWorld,
    caller: Caller,
    parameters: PathParameters,
  ): Promise<Download | Refused>;
}

/** A route that streams bytes instead of JSON; its ETag is looked at before any of them is read. */
export function download({
  open,
  description,
  mediaType,
  fromRegistry,
  ...declared
}: Declaration): Operation {
  const schema = z.string().openapi({ format: 'binary' });
  return {
    needs: null,
    route: routeOf<Download | Refused, typeof schema, typeof noQuery, undefined>({
      ...declared,
      method: 'get',
      tag: 'Packs',
      needs: null,
      query: noQuery,
      body: noBody,
      problems: { not_found: true, registry_unavailable: true },
      success: { status: 200, description, schema, mediaType },
    }),
    async answer(world, caller, { request, parameters, downloads }, outcomes) {
      using held = new DisposableStack();
      if (fromRegistry) held.use(downloads.begin(caller.orgId));
      const query = readQuery(noQuery, new URL(request.url).searchParams);
      const outcome = query.kind === 'valid' ? await open(world, caller, parameters) : query;
      outcomes.push(outcome.kind);
      if (isProblem(outcome)) return problemResponse(world, caller, outcome);
      held.use(outcome);
      return responseOf(outcome, request, held);
    },
  };
}

/** @param held what to give back once it is sent or the caller has left; what needs it longer moves it out */
function responseOf(
  { etag, name, contentType, size, read }: Download,
  { headers, method }: Request,
  held: DisposableStack,
): Response {
  if (isKnown(headers, etag)) return new Response(null, { status: 304, headers: { etag } });
  const described = {
    etag,
    'content-type': contentType,
    ...(size !== null && { 'content-length': String(size) }),
    // What an author put into a pack must not run on our origin in a reader's browser.
    'content-disposition': contentDisposition(name),
    'content-security-policy': "default-src 'none'; sandbox",
    'x-content-type-options': 'nosniff',
  };
  if (method === 'HEAD') return new Response(null, { headers: described });
  const sent = held.move();
  const content = Readable.from(read(), { objectMode: false });
  content.once('close', () => sent.dispose());
  // Both are the web's ReadableStream; the global type and that of node:stream/web do not know each other.
  const body = Readable.toWeb(content) as ReadableStream as unknown as BodyInit;
  return new Response(body, { headers: described });
}
