/** GraphiQL for browsers: one page, served from here alone and kept from asking anybody else. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { graphqlCode, refusals } from '../outcomes.ts';
import { tabs } from './graphiql-tabs.ts';
import type { ServerContext, YogaPlugin } from './server-context.ts';

/** Blocks every request but those to this server; the page's own scripts and workers are inline. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'unsafe-inline' blob:",
  'worker-src blob:',
  "style-src 'unsafe-inline'",
  'font-src data:',
  "img-src data: 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cache-control': 'private, no-cache',
  vary: 'accept, accept-encoding',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

interface Page {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Record<string, string>;
}

/** Serves the page to whoever asks for HTML, before anybody has to authenticate: it holds nothing but itself. */
export function useGraphiQL(): YogaPlugin {
  // 9 MB and always the same: made when a browser first asks, and packed once for all of them.
  const pages = new Map<'gzip' | 'identity', Promise<Page>>();
  const pageIn = (encoding: 'gzip' | 'identity') => {
    const page = pages.get(encoding) ?? render(encoding);
    pages.set(encoding, page);
    return page;
  };
  return {
    async onRequest({ request, serverContext, endResponse, fetchAPI }) {
      if (!wantsPage(request)) return;
      serverContext.record.operation = 'graphiql';
      const takesGzip = request.headers.get('accept-encoding')?.includes('gzip') ?? false;
      const { body, headers } = await pageIn(takesGzip ? 'gzip' : 'identity');
      const isKnown = request.headers.get('if-none-match') === headers.etag;
      endResponse(
        isKnown
          ? new fetchAPI.Response(null, { status: 304, headers })
          : new fetchAPI.Response(body, { headers }),
      );
    },
  };
}

/** Tells a browser that there is no page, instead of asking somebody for a key who has nowhere to put it. */
export function useNoGraphiQL(): YogaPlugin {
  return {
    onRequest({ request, url, serverContext, endResponse, fetchAPI }) {
      if (!wantsPage(request) || url.searchParams.has('query')) return;
      endResponse(notAcceptable(serverContext, fetchAPI.Response));
    },
  };
}

function wantsPage({ method, headers }: Request): boolean {
  return method === 'GET' && headers.get('accept')?.includes('text/html') === true;
}

async function render(encoding: 'gzip' | 'identity'): Promise<Page> {
  // Imported only now: a server that no browser ever visits is spared its megabytes.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const html = renderGraphiQL({
    title: 'Pack Gateway',
    defaultHeaders: tabs[0].headers,
    defaultTabs: [...tabs],
    // A key is no business of the browser's storage.
    shouldPersistHeaders: false,
    defaultEditorToolsVisibility: 'headers',
  });
  const body = encoding === 'gzip' ? await promisify(gzip)(html) : Buffer.from(html);
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  return {
    body,
    headers: {
      ...pageHeaders,
      etag,
      ...(encoding === 'gzip' && { 'content-encoding': 'gzip' }),
    },
  };
}

function notAcceptable({ record }: ServerContext, WebResponse: typeof Response): Response {
  record.outcomes.push('not_acceptable');
  const extensions = { code: graphqlCode('not_acceptable'), requestId: record.requestId };
  const message = 'GraphiQL is switched off here (GRAPHIQL): POST an operation as JSON.';
  return WebResponse.json(
    { errors: [{ message, extensions }] },
    { status: refusals.not_acceptable },
  );
}
