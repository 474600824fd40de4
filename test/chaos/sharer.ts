import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, attachPack, deletePack, detachPack, findPack, upload } from './api.ts';
import { makeRole } from './client.ts';
import { type Ledger, newLedger } from './ledger.ts';
import type { Random } from './random.ts';
import type { SharedPack, Shelf } from './shelf.ts';

/**
 * One of several clients that fight over a few names: the same content under the same name, deleted, uploaded again
 * and attached by all of them at once. Only what no interleaving excuses is held against the service.
 */
export async function runSharer(
  number: number,
  urls: readonly [string, string],
  random: Random,
  isOver: () => boolean,
  shelf: Shelf,
): Promise<Ledger> {
  const ledger = newLedger();
  const url = () => random.pick(urls);
  const heard = (answer: Answer | null) => {
    ledger.requests++;
    if (answer === null) ledger.unanswered++;
    return answer;
  };

  const role = await makeRole(`sharer-${number}`, url, heard, isOver);
  if (role === null) return ledger;
  const put = async (at: string, name: string) => {
    const answer = heard(await upload(at, name));
    if (answer?.pack !== undefined) shelf.found({ ...answer.pack, name });
    else ledger.doubtfulNames.add(name);
    // Somebody's upload without an answer may have made it: by its name it is found.
    if (answer?.__typename === 'NameTaken') {
      const found = await findPack(url(), name);
      if (found !== null) shelf.found(found);
    }
    return answer;
  };
  const erase = async (at: string, pack: SharedPack) => {
    pack.deletionBegun = true;
    const wasGone = pack.gone;
    const answer = heard(await deletePack(at, pack.id));
    shelf.deletionAnswered(pack, answer, wasGone);
    return answer;
  };

  while (!isOver()) {
    const name = random.pick(shelf.names);
    const pack = shelf.current(name);
    const chance = random.next();
    let answer: Answer | null;
    if (pack === undefined) {
      answer = await put(url(), name);
    } else if (chance < 0.15) {
      answer = await holdAndLetGo(shelf, pack, role, url, heard);
    } else if (chance < 0.3) {
      await shelf.look(pack);
      answer = null;
    } else if (chance < 0.45) {
      answer = await erase(url(), pack);
    } else {
      // On both replicas at once; as soon as one says that it is gone, the same content comes again.
      const answers = await Promise.all(
        urls.map(async (each) => {
          const deleted = await erase(each, pack);
          return deleted?.__typename === 'DeletedPack' ? put(url(), name) : deleted;
        }),
      );
      answer = answers.find((each) => each !== null) ?? null;
    }
    await pause(answer === null ? 200 : random.between(0, 60));
  }
  return ledger;
}

/** Attached for a moment only, or nobody could ever delete the pack. */
async function holdAndLetGo(
  shelf: Shelf,
  pack: SharedPack,
  role: string,
  url: () => string,
  heard: (answer: Answer | null) => Answer | null,
): Promise<Answer | null> {
  const wasGone = pack.gone;
  const attached = heard(await attachPack(url(), role, pack.id));
  shelf.attachAnswered(pack, role, attached, wasGone);
  if (attached?.__typename === 'AttachedPack') await pause(50);
  // From here on a deletion may come between.
  pack.holders.set(role, 'unknown');
  const detached = heard(await detachPack(url(), role, pack.id));
  if (detached?.__typename === 'DetachedPack') pack.holders.set(role, false);
  if (detached?.__typename === 'NotFound') shelf.notFound(pack, role);
  return detached;
}
