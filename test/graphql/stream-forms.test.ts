/** What a subscription's answer looks like on the wire. */
import { describe, expect, test } from 'vitest';
import { multipartSubscription } from '../../src/graphql/streams/multipart-subscription.ts';
import { serverSentEvents } from '../../src/graphql/streams/server-sent-events.ts';
import { streamedBody } from '../../src/graphql/streams/streamed-body.ts';
import { openStreams, streamOf } from '../support/event-stream.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';

const EXPLORER = 'multipart/mixed;boundary=graphql;subscriptionSpec=1.0, application/json';
const QUERY = 'subscription { packEvents { type auditEventId } }';
const PART = '\r\nContent-Type: application/json\r\n\r\n';

/** All that comes; once so many events have, the process begins to stop, which ends the stream. */
async function wholeAfter(gateway: Gateway, response: Response, events: number): Promise<string> {
  let text = '';
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (text.split('"auditEventId"').length > events) await gateway.app.events.end();
  }
  return text;
}

describe('a subscription', () => {
  test.each([
    EXPLORER,
    'multipart/mixed;subscriptionSpec="1.0", application/json',
    'multipart/mixed;boundary="graphql";deferSpec=20220824;subscriptionSpec=1.0,application/json',
    'text/event-stream;q=0.5, multipart/mixed;subscriptionSpec=1.0',
  ])('is answered in the multipart protocol to the letter: %s', async (accept) => {
    const gateway = await startGateway({ fresh: true });
    const response = await streamOf(gateway, { accept, query: QUERY });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    await gateway.pack('triage');
    await gateway.pack('second');
    const [preamble, ...parts] = (await wholeAfter(gateway, response, 2)).split('\r\n--graphql');
    expect(preamble).toBe('');
    expect(parts.pop()).toBe('--\r\n');
    const bodies = parts.map((part) => {
      expect(part.startsWith(PART)).toBe(true);
      return JSON.parse(part.slice(PART.length));
    });
    expect(bodies).toEqual([
      {},
      ...['triage', 'second'].map(() => ({
        payload: {
          data: { packEvents: { type: 'PACK_UPLOADED', auditEventId: expect.any(String) } },
        },
      })),
      {
        payload: null,
        errors: [
          expect.objectContaining({
            extensions: { code: 'SERVICE_UNAVAILABLE', requestId: expect.any(String) },
          }),
        ],
      },
    ]);
  });

  test.each(['text/event-stream', '*/*', ''])(
    'is answered by server-sent events: "%s"',
    async (accept) => {
      const gateway = await startGateway({ fresh: true });
      const response = await streamOf(gateway, { accept, query: QUERY });
      expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('x-accel-buffering')).toBe('no');
      expect(response.headers.get('content-encoding')).toBeNull();
      await gateway.pack('triage');
      const { data } = await gateway.graphql('{ auditEvents { nodes { id } } }');
      const id = data.auditEvents.nodes[0].id;
      const messages = (await wholeAfter(gateway, response, 1)).split('\n\n');
      expect(messages).toEqual([
        ':',
        `event: next\nid: ${id}\ndata: {"data":{"packEvents":{"type":"PACK_UPLOADED","auditEventId":"${id}"}}}`,
        expect.stringMatching(/^event: next\ndata: \{"errors":\[.*"SERVICE_UNAVAILABLE"/),
        'event: complete\ndata:',
        '',
      ]);
    },
  );

  test.each([
    'application/json',
    'multipart/mixed',
    'multipart/mixed;subscriptionSpec=2.0',
    'text/event-stream;q=0',
  ])('is refused to who takes no stream of ours: %s', async (accept) => {
    const gateway = await startGateway();
    const response = await streamOf(gateway, { accept, query: QUERY });
    expect(await response.text()).toContain('NOT_ACCEPTABLE');
    await openStreams(gateway, 0);
  });

  test('that is refused says so in the form that was asked for', async () => {
    const gateway = await startGateway();
    const query = 'subscription { packEvents(packId: "pack_none") { type } }';
    const ask = (accept: string) => streamOf(gateway, { accept, query });
    const sse = await ask('text/event-stream');
    expect(sse.status).toBe(200);
    expect(await sse.text()).toMatch(/^:\n\nevent: next\ndata: .*BAD_REQUEST.*\n\nevent: complete/);
    const multipart = await ask('multipart/mixed;subscriptionSpec=1.0');
    expect(await multipart.text()).toMatch(/\{"payload":null,"errors":.*BAD_REQUEST/);
    const json = await ask(EXPLORER);
    expect(json.headers.get('content-type')).toContain('json');
    expect((await json.json()).errors[0].extensions.code).toBe('BAD_REQUEST');
  });

  test('leaves nothing behind when its client is gone before he has read anything', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    for (const accept of ['text/event-stream', EXPLORER]) {
      const response = await streamOf(gateway, { accept });
      await openStreams(gateway, 1);
      await response.body?.cancel();
      await openStreams(gateway, 0);
    }
    const origin = await listening(gateway);
    for (let i = 0; i < 10; i++) {
      const hangUp = new AbortController();
      const asking = streamOf(gateway, { origin, accept: EXPLORER }, hangUp.signal);
      setImmediate(() => hangUp.abort());
      await asking.catch(() => undefined);
    }
    await openStreams(gateway, 0);
  });
});

describe('a stream in which nothing happens', () => {
  test.each([
    ['server-sent events', serverSentEvents, /^(:\n\n){4,}$/],
    [
      'multipart',
      multipartSubscription,
      /^\r\n--graphql(\r\nContent-Type: application\/json\r\n\r\n\{\}\r\n--graphql){4,}$/,
    ],
  ])('is kept alive by heartbeats: %s', async (_name, framing, form) => {
    const returned = Promise.withResolvers<void>();
    const results = {
      next: () => new Promise<never>(() => undefined),
      return: async () => {
        returned.resolve();
        return { done: true as const, value: undefined };
      },
    };
    const reader = streamedBody(results, framing, () => null, 1).getReader();
    let text = '';
    for (let chunks = 0; chunks < 4; chunks++) {
      text += new TextDecoder().decode((await reader.read()).value);
    }
    expect(text).toMatch(form);
    await reader.cancel();
    await returned.promise;
  });
});
