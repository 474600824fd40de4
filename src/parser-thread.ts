import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { OrgId } from './model/ids.ts';
import { OrgsInTurn } from './orgs-in-turn.ts';
import { RequestRefused } from './request-refused.ts';

/** `too_costly`: it took more time or memory than a parser is given, and was ended. */
export type ParseOutcome =
  | { readonly kind: 'parsed'; readonly value: unknown }
  | { readonly kind: 'too_costly' };

/** Parses what it is given, with one of the scripts that `ParserThread` runs. */
export type Parser = Pick<ParserThread, 'parse'>;

/** What is small enough to be sent here takes milliseconds; the worst that is known, some hundreds. */
const LONGEST_MS = 3_000;
const MOST_WAITING = 64;
/** One at a time waits among those of all: a costly text holds up the next one of the same org. */
const FOR_AN_ORG = { atOnce: 1, waiting: 64 };
/** Only for what nobody knows yet: parsers bound what they make of a text. */
const MEMORY = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 };

/**
 * A thread for parsers of languages too big to be sure of, which can be ended without ending anything else: what a
 * stranger writes in them must not hold up everybody. It is started when first needed and does one thing at a time.
 */
export class ParserThread implements AsyncDisposable {
  readonly #longestMs: number;
  #running: { readonly script: string; readonly worker: Promise<Worker> } | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  readonly #orgs = new OrgsInTurn('packs', FOR_AN_ORG);

  constructor({ longestMs = LONGEST_MS } = {}) {
    this.#longestMs = longestMs;
  }

  /**
   * Hands `input` to the parser and waits for what it answers, in the order of the calls.
   * @param script what runs in the thread; it posts one message when it is ready, then one for each that it gets
   * @throws RequestRefused `service_unavailable` where too many wait already
   */
  async parse(script: URL, input: Uint8Array): Promise<ParseOutcome> {
    if (this.#waiting >= MOST_WAITING) {
      throw new RequestRefused(
        'service_unavailable',
        'Too many packs are being read at once; nothing was changed, try again.',
      );
    }
    this.#waiting += 1;
    const turn = this.#last.then(() => this.#parseNow(script, input));
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }

  /**
   * The thread as one org has it: what it sends waits in a queue of its own; null: the platform.
   * `parse` then throws RequestRefused `rate_limited` as well, where that queue is full.
   */
  of(org: OrgId | null): Parser {
    return { parse: (script, input) => this.#orgs.run(org, () => this.parse(script, input)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#end();
  }

  async #parseNow(script: URL, input: Uint8Array): Promise<ParseOutcome> {
    try {
      const worker = await this.#started(script);
      // Busy, it keeps the process alive; idle, it does not.
      worker.ref();
      worker.postMessage(input);
      const signal = AbortSignal.timeout(this.#longestMs);
      const [value]: unknown[] = await once(worker, 'message', { signal });
      worker.unref();
      return { kind: 'parsed', value };
    } catch (error) {
      await this.#end();
      if (isTooCostly(error)) return { kind: 'too_costly' };
      throw error;
    }
  }

  async #started(script: URL): Promise<Worker> {
    if (this.#running?.script !== script.href) await this.#end();
    this.#running ??= { script: script.href, worker: start(script) };
    return this.#running.worker;
  }

  async #end(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    const worker = await running?.worker.catch(() => undefined);
    await worker?.terminate();
  }
}

async function start(script: URL): Promise<Worker> {
  // No environment: a parser needs none, and ours has secrets in it.
  const worker = new Worker(script, { env: {}, execArgv: [], resourceLimits: MEMORY });
  await once(worker, 'message');
  // What breaks while it parses is handled there, and an idle worker does nothing.
  worker.on('error', () => undefined);
  return worker;
}

const isTooCostly = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ABORT_ERR' || error.code === 'ERR_WORKER_OUT_OF_MEMORY');
