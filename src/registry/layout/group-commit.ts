import type { CallOptions, Digest, Repository } from '../registry.ts';
import type { Draft } from './draft.ts';
import { LayoutError, timedOut } from './failure.ts';

const LONGEST_WAIT_MS = 10_000;

/** What a caller changes about one repository. */
export interface Change<T> {
  readonly repository: Repository;
  readonly options: CallOptions;
  /** Whether it only takes out: then a full disk does not stop it, and content that nothing needs any more goes. */
  readonly removes: boolean;
  /** Content that is not part of the layout yet, by its path. */
  readonly content?: ReadonlyMap<Digest, string>;
  /** Decides what to change, on the index as it will be; where `removes`, all that the index leads to is known. */
  readonly plan: (draft: Draft) => Promise<T>;
}

/** A change in its group. */
export interface Member {
  readonly change: Change<unknown>;
  /** Throws once the caller is gone. */
  plan(draft: Draft): Promise<void>;
  /** Answers the caller with what was planned. */
  done(): void;
  fail(error: unknown): void;
}

/** Runs its work while no other process changes the layout, or says that one does so for long; rejects at the signal. */
type Exclusively = (work: () => Promise<void>, signal: AbortSignal) => Promise<unknown>;

/**
 * Changes that wait while another one is written are written together, once: the file to be written names all images,
 * however small the change. Each is answered when all of them are on disk.
 *
 * A group has at most one change of each repository, so none builds upon another that is not there yet, and only changes
 * of one kind: those that need room may fail together, those that make room do not fail with them.
 */
export class GroupCommit {
  readonly #exclusively: Exclusively;
  readonly #commit: (group: readonly Member[]) => Promise<void>;
  #queue: readonly Member[] = [];
  #waiting: AbortController | undefined;

  constructor(exclusively: Exclusively, commit: (group: readonly Member[]) => Promise<void>) {
    this.#exclusively = exclusively;
    this.#commit = commit;
  }

  /** @throws whatever `plan` or the disk throws, LayoutError where the layout is busy for too long */
  async run<T>(change: Change<T>): Promise<T> {
    const { signal } = change.options;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const member: Member = {
      change,
      async plan(draft) {
        signal?.throwIfAborted();
        const planned = await change.plan(draft);
        signal?.throwIfAborted();
        member.done = () => resolve(planned);
      },
      done: () => undefined,
      fail: reject,
    };
    const leave = (error: unknown) => {
      if (!this.#queue.includes(member)) return;
      this.#queue = this.#queue.filter((one) => one !== member);
      if (this.#queue.length === 0) this.#waiting?.abort();
      reject(error);
    };
    const onAbort = () => leave(signal?.reason);
    const busy = timedOut('The embedded registry was busy for too long.');
    const timer = setTimeout(() => leave(new LayoutError(busy)), LONGEST_WAIT_MS);
    signal?.addEventListener('abort', onAbort);
    this.#queue = [...this.#queue, member];
    if (this.#waiting === undefined) void this.#work();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #work(): Promise<void> {
    while (this.#queue.length > 0) {
      const waiting = new AbortController();
      this.#waiting = waiting;
      try {
        await this.#exclusively(async () => {
          const group = this.#next();
          await this.#commit(group).catch((error: unknown) => {
            for (const member of group) member.fail(error);
          });
        }, waiting.signal);
      } catch (error) {
        if (waiting.signal.aborted) continue;
        for (const member of this.#queue) member.fail(error);
        this.#queue = [];
      }
    }
    this.#waiting = undefined;
  }

  #next(): Member[] {
    const seen = new Set<Repository>();
    const removes = this.#queue[0]?.change.removes;
    const group = this.#queue.filter(({ change }) => {
      const isFirst = !seen.has(change.repository);
      seen.add(change.repository);
      return isFirst && change.removes === removes;
    });
    this.#queue = this.#queue.filter((member) => !group.includes(member));
    return group;
  }
}
