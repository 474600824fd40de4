import { performance } from 'node:perf_hooks';

/** An operator who upgrades the registry waits no longer than this for it to be seen. */
const FORGET_AFTER_MS = 5 * 60_000;

/** What is particular to one registry, remembered so that not every purge asks again. */
export class Peculiarities {
  #noReferrersApiUntil = 0;
  #hasReferrersApi = false;
  #listsTags = false;
  #untagsUntil = 0;

  /**
   * That there is none is forgotten after a few minutes. That there is one is never forgotten: no other page at that
   * address is taken for "there is none".
   */
  get referrersApi(): 'absent' | 'perhaps' | 'present' {
    if (this.#hasReferrersApi) return 'present';
    return performance.now() < this.#noReferrersApiUntil ? 'absent' : 'perhaps';
  }

  foundNoReferrersApi(): void {
    this.#noReferrersApiUntil = performance.now() + FORGET_AFTER_MS;
  }

  foundReferrersApi(): void {
    this.#hasReferrersApi = true;
  }

  /** Whether it has been seen to list tags; from then on only its own word says that it cannot. */
  get listsTags(): boolean {
    return this.#listsTags;
  }

  foundTagList(): void {
    this.#listsTags = true;
  }

  /** Whether the deletion of a manifest takes its tags along; checked again every few minutes. */
  get untags(): boolean {
    return performance.now() < this.#untagsUntil;
  }

  foundUntagging(untags: boolean): void {
    this.#untagsUntil = untags ? performance.now() + FORGET_AFTER_MS : 0;
  }
}
