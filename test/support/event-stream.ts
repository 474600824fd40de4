/** Reads a subscription's server-sent events. */
import { expect } from 'vitest';
import type { Gateway, Json } from './gateway.ts';
import { OWNER_KEY } from './owner-key.ts';

const SUBSCRIPTION = `subscription { packEvents {
  auditEventId type packId requestId createdAt pack { name status roles { totalCount } } role { id name }
} }`;

export interface StreamOptions {
  readonly key?: string | null;
  /** A server to ask over a socket, instead of the gateway itself. */
  readonly origin?: string;
  readonly method?: 'GET' | 'POST';
  /** Instead of all that packEvents tells. */
  readonly query?: string;
  readonly variables?: object;
  readonly accept?: string;
  /** Where the request comes from, as the socket would tell. */
  readonly address?: string;
}

export interface Stream extends AsyncDisposable {
  /** The next GraphQL answer, or null at the end. */
  next(): Promise<Json>;
}

/** Sends a subscription to packEvents; answers as soon as there are headers. */
export function streamOf(
  gateway: Gateway,
  {
    key = OWNER_KEY,
    origin,
    method = 'POST',
    address,
    query = SUBSCRIPTION,
    variables = {},
    accept = 'text/event-stream',
  }: StreamOptions = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  const url = `${origin ?? 'http://gateway'}/graphql`;
  const headers = {
    accept,
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    ...(method === 'POST' && { 'content-type': 'application/json' }),
  };
  const request =
    method === 'GET'
      ? new Request(`${url}?query=${encodeURIComponent(query)}`, { headers, signal })
      : new Request(url, {
          method,
          headers,
          signal,
          body: JSON.stringify({ query, variables }),
        });
  return origin === undefined ? gateway.app.fetch(request, address) : fetch(request);
}

/** Subscribes to packEvents, and is listened to from then on. */
export async function subscribe(gateway: Gateway, options: StreamOptions = {}): Promise<Stream> {
  const hangUp = new AbortController();
  const response = await streamOf(gateway, options, hangUp.signal);
  if (response.status !== 200 || response.body === null) throw new Error(await response.text());
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async next() {
      for (;;) {
        const end = text.indexOf('\n\n');
        if (end === -1) {
          const { done, value } = await reader.read();
          if (done) throw new Error('the stream broke off');
          text += value;
          continue;
        }
        const message = text.slice(0, end);
        text = text.slice(end + 2);
        const data = /^data: (.*)$/m.exec(message)?.[1];
        if (data !== undefined) return JSON.parse(data);
        if (message.startsWith('event: complete')) return null;
      }
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel().catch(() => undefined);
      hangUp.abort();
    },
  };
}

/** Reads on to the last message of a stream. */
export async function lastOf(stream: Stream): Promise<Json> {
  let last: Json;
  for (let message = await stream.next(); message !== null; message = await stream.next()) {
    last = message;
  }
  return last;
}

/** Waits until the gateway's own metrics show so many open streams. */
export async function openStreams(gateway: Gateway, count: number): Promise<void> {
  await expect
    .poll(async () => {
      const text = await (await gateway.app.fetch(new Request('http://gateway/metrics'))).text();
      return /^pack_gateway_event_streams (\d+)$/m.exec(text)?.[1];
    })
    .toBe(String(count));
}
