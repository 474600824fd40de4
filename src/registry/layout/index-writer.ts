import { rename, rm } from 'node:fs/promises';
import type { Collection } from './collection.ts';
import { Draft } from './draft.ts';
import { syncDirectory } from './durable.ts';
import { isFull, LayoutError, timedOut } from './failure.ts';
import type { Member } from './group-commit.ts';
import type { Index } from './index.ts';
import type { IndexFile } from './index-file.ts';
import { blobIn, type Paths } from './paths.ts';
import type { Reserve } from './reserve.ts';
import { lengthOf, type Staging } from './staging.ts';

interface Parts {
  readonly paths: Paths;
  readonly staging: Staging;
  readonly reserve: Reserve;
  readonly index: IndexFile;
  readonly collection: Collection;
}

/**
 * Writes the changes of a group: their content, the index that names it, and the removal of what it no longer needs. The
 * index is on the disk, whole, before anybody is answered: docs/decisions/0008-index-written-whole.md.
 */
export class IndexWriter {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Answers each member once its change is on disk, or with why its own part failed; only while nobody else changes the
   * layout. `mayWrite` is asked last; a no leaves everything as it was.
   * @throws where the whole group failed
   */
  async commit(group: readonly Member[]): Promise<void> {
    const { index: file, collection } = this.#parts;
    const index = await file.read();
    if (group.some(({ change }) => change.removes)) await collection.follow(index);
    const whole = new Draft(index);
    const planned: Member[] = [];
    const writing: Member[] = [];
    for (const member of group) {
      const own = new Draft(whole);
      try {
        await member.plan(own);
      } catch (error) {
        member.fail(error);
        continue;
      }
      planned.push(member);
      if (!own.isEmpty()) writing.push(member);
      whole.take(own);
    }
    if (writing.length > 0) {
      const staged = await this.#stage(index, whole, writing);
      const late = writing.filter(({ change }) => change.options.mayWrite?.() === false);
      if (late.length > 0) {
        await rm(staged, { force: true });
        for (const { fail } of late) fail(new LayoutError(tooLate));
        return await this.commit(planned.filter((member) => !late.includes(member)));
      }
      await this.#place(staged, index, whole, writing);
    }
    // In this order a crash, or a failing disk, leaves content that nobody can name: the next start, or the next removal,
    // takes it away.
    if (planned.some(({ change }) => change.removes)) await collection.collect(index);
    for (const { done } of planned) done();
  }

  async #stage(index: Index, draft: Draft, [first]: readonly Member[]): Promise<string> {
    const { staging, reserve } = this.#parts;
    const text = index.textAfter(draft);
    if (first?.change.removes !== true) {
      await reserve.keepFor(lengthOf(text));
      return await staging.writePieces(text);
    }
    return await staging.writePieces(text).catch(async (error: unknown) => {
      if (!isFull(error)) throw error;
      await reserve.release();
      return await staging.writePieces(text);
    });
  }

  async #place(
    staged: string,
    index: Index,
    draft: Draft,
    members: readonly Member[],
  ): Promise<void> {
    const { paths, index: file, collection } = this.#parts;
    const content = members.flatMap(({ change }) => [...(change.content ?? [])]);
    try {
      for (const [digest, path] of content) await rename(path, blobIn(paths, digest));
      if (content.length > 0) await syncDirectory(paths.blobs);
      await collection.note(draft);
      await file.replace(staged, index, draft);
    } catch (error) {
      await rm(staged, { force: true });
      throw error;
    }
  }
}

const tooLate = timedOut('The time to write to the embedded registry ran out.');
