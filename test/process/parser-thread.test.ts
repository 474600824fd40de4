import { expect, onTestFinished, test } from 'vitest';
import { newUuid, orgIds } from '../../src/model/ids.ts';
import { type Parser, ParserThread } from '../../src/parser-thread.ts';

/** A parser of our own making: the real one is bounded, so that no known text costs what the thread must survive. */
const parser = (body: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`
      import { parentPort } from 'node:worker_threads';
      parentPort.on('message', (input) => { ${body} });
      parentPort.postMessage('ready');
    `)}`,
  );
const LENGTH = parser('parentPort.postMessage(input.length)');
const input = new Uint8Array(3);

function parserThread(longestMs = 60_000): ParserThread {
  const thread = new ParserThread({ longestMs });
  onTestFinished(() => thread[Symbol.asyncDispose]());
  return thread;
}

test('a parser that comes to no end is ended, and the next one is served', async () => {
  const thread = parserThread(100);
  const endless = thread.parse(parser('for (;;);'), input);
  const next = thread.parse(LENGTH, input);
  expect(await endless).toEqual({ kind: 'too_costly' });
  expect(await next).toEqual({ kind: 'parsed', value: 3 });
});

test('a parser that takes all memory is ended, and the process lives', async () => {
  const thread = parserThread();
  const greedy = parser('const all = []; for (;;) all.push({ some: all.length });');
  expect(await thread.parse(greedy, input)).toEqual({ kind: 'too_costly' });
  expect(await thread.parse(LENGTH, input)).toEqual({ kind: 'parsed', value: 3 });
});

test('a parser that breaks rejects its own call only', async () => {
  const thread = parserThread();
  const broken = thread.parse(parser('throw new TypeError("a bug")'), input);
  const next = thread.parse(LENGTH, input);
  await expect(broken).rejects.toThrow('a bug');
  expect(await next).toEqual({ kind: 'parsed', value: 3 });
});

test('the queue has an end', async () => {
  const thread = parserThread();
  const waiting = Array.from({ length: 64 }, () => thread.parse(LENGTH, input));
  await expect(thread.parse(LENGTH, input)).rejects.toMatchObject({ code: 'service_unavailable' });
  expect(await Promise.all(waiting)).toHaveLength(64);
  expect((await thread.parse(LENGTH, input)).kind).toBe('parsed');
});

test('one org’s texts wait for each other, and those of another org for one of them at most', async () => {
  const thread = parserThread();
  const [one, other] = [thread.of(orgIds.of(newUuid())), thread.of(orgIds.of(newUuid()))];
  const ended: string[] = [];
  const parse = async (name: string, { parse }: Parser) => {
    await parse(LENGTH, input);
    ended.push(name);
  };
  const first = Array.from({ length: 65 }, () => parse('one', one));
  await expect(one.parse(LENGTH, input)).rejects.toMatchObject({ code: 'rate_limited' });
  await parse('other', other);
  expect(ended.indexOf('other')).toBeLessThanOrEqual(1);
  await Promise.all(first);
  expect(ended).toHaveLength(66);
});

test('knows nothing of the environment', async () => {
  const names = parser('parentPort.postMessage(Object.keys(process.env))');
  expect(await parserThread().parse(names, input)).toEqual({ kind: 'parsed', value: [] });
});
