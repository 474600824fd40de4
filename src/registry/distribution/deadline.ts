import { setMaxListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions } from '../registry.ts';
import { CallFailed, failed } from './call-failed.ts';

/**
 * The time that one call may take, on the monotonic clock; the caller's signal ends it early, and so does losing the
 * right to write.
 *
 * It must be disposed, which releases the timer and aborts requests that still run.
 */
export class Deadline implements Disposable {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #milliseconds: number;
  readonly #mayWrite: () => boolean;
  #expires = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number, { signal: external, mayWrite = () => true }: CallOptions = {}) {
    this.#milliseconds = milliseconds;
    this.#mayWrite = mayWrite;
    this.signal = external
      ? AbortSignal.any([this.#controller.signal, external])
      : this.#controller.signal;
    // Every request in flight listens; dozens are normal and no leak.
    setMaxListeners(0, this.signal);
    this.extend();
  }

  /** Starts the time again: for transfers that may last as long as they keep moving. */
  extend(): void {
    this.pause();
    this.#expires = performance.now() + this.#milliseconds;
    this.#timer = setTimeout(() => this.#controller.abort(), this.#milliseconds);
  }

  /** Stops the clock while we wait for our own side, until the next `extend()`. */
  pause(): void {
    clearTimeout(this.#timer);
    this.#expires = Number.POSITIVE_INFINITY;
  }

  [Symbol.dispose](): void {
    this.end();
  }

  end(): void {
    this.pause();
    this.#controller.abort();
  }

  /** Milliseconds left; 0 when over. */
  remaining(): number {
    return this.signal.aborted ? 0 : Math.max(0, this.#expires - performance.now());
  }

  /** Throws the `TIMEOUT` failure when the time is over. */
  check(): void {
    if (this.remaining() === 0) throw new CallFailed(timedOut());
  }

  /** Throws the `TIMEOUT` failure, and ends the call with it, when the caller may no longer write. */
  checkWrite(): void {
    if (this.#mayWrite()) return;
    this.end();
    throw new CallFailed(failed('TIMEOUT', true, 'the time to write to the registry ran out'));
  }

  /** Waits, and throws the `TIMEOUT` failure when the time ends first. */
  async sleep(milliseconds: number): Promise<void> {
    try {
      await sleep(milliseconds, undefined, { signal: this.signal });
    } catch {
      throw new CallFailed(timedOut());
    }
  }

  /** The promise's result, or the `TIMEOUT` failure when the time ends first. */
  async race<T>(promise: Promise<T>): Promise<T> {
    const over = new AbortController();
    const end = this.#whenOver(over.signal);
    try {
      return await Promise.race([promise, end]);
    } finally {
      over.abort();
    }
  }

  #whenOver(settled: AbortSignal): Promise<never> {
    return new Promise((_, reject) => {
      const onOver = () => reject(new CallFailed(timedOut(), true));
      if (this.signal.aborted) onOver();
      this.signal.addEventListener('abort', onOver, { once: true, signal: settled });
    });
  }
}

/**
 * Works against a deadline, and ends what still runs of it afterwards.
 * @param patience milliseconds
 */
export async function within<T>(
  { patience, options }: { readonly patience: number; readonly options: CallOptions },
  work: (deadline: Deadline) => Promise<T>,
): Promise<T> {
  using deadline = new Deadline(patience, options);
  return await work(deadline);
}

export const timedOut = () =>
  failed('TIMEOUT', true, 'the registry did not answer within the time allowed');
