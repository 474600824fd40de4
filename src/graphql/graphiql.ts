/** GraphiQL for browsers: one page, served from here alone and kept from asking anybody else. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { RequestRefused } from '../request-refused.ts';
import { errorResponse } from './error-response.ts';
import { tabs } from './graphiql-tabs.ts';
import type { YogaPlugin } from './server-context.ts';

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

/** The field for the key and the picker of a file, above GraphiQL; its script goes before GraphiQL's. */
const BAR = new URL('./graphiql-bar.html', import.meta.url);
const ROOT = '<div id="root"></div>';

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

/** Serves the page to any browser, without authentication: it holds no data. */
export function useGraphiQL(): YogaPlugin {
  // 9 MB and always the same: made when a browser first asks, and packed once for all of them.
  const pages = new Map<'gzip' | 'identity', Promise<Page>>();
  const pageIn = (encoding: 'gzip' | 'identity') => {
    const known = pages.get(encoding);
    if (known !== undefined) return known;
    const page = render(encoding);
    pages.set(encoding, page);
    // A failure is not kept: the next request tries again.
    page.catch(() => pages.delete(encoding));
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

/** Tells a browser that there is no page, instead of asking for a key that there is no place to enter. */
export function useNoGraphiQL(): YogaPlugin {
  return {
    onRequest({ request, url, serverContext, endResponse }) {
      if (!wantsPage(request) || url.searchParams.has('query')) return;
      const message = 'GraphiQL is switched off here (GRAPHIQL): POST an operation as JSON.';
      const { outcomes, requestId } = serverContext.record;
      outcomes.push('not_acceptable');
      endResponse(errorResponse(new RequestRefused('not_acceptable', message), request, requestId));
    },
  };
}

function wantsPage({ method, headers }: Request): boolean {
  return method === 'GET' && headers.get('accept')?.includes('text/html') === true;
}

async function render(encoding: 'gzip' | 'identity'): Promise<Page> {
  // Imported only now: a server that no browser ever visits is spared its megabytes.
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const graphiql = renderGraphiQL({
    title: 'Pack Gateway',
    defaultTabs: [...tabs],
    // The key has a field of its own, and must not be among the headers that the browser stores.
    isHeadersEditorEnabled: false,
    shouldPersistHeaders: false,
    defaultEditorToolsVisibility: 'variables',
  });
  const bar = await readFile(BAR, 'utf8');
  const html = graphiql.replace(ROOT, () => `${bar}${ROOT}`);
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
