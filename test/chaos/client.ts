import { setTimeout as pause } from 'node:timers/promises';
import { type Answer, attachPack, createRole, deletePack, detachPack, upload } from './api.ts';
import { type Ledger, newLedger, type PackEntry } from './ledger.ts';
import type { Random } from './random.ts';

const MOST_PACKS = 6;

/**
 * One client: uploads, attaches, detaches and deletes packs that only it knows, through whichever replica comes, and
 * writes down what it is told. Nobody else changes them, so each answer must agree with those before it.
 */
export async function runClient(
  number: number,
  urls: readonly [string, string],
  random: Random,
  isOver: () => boolean,
  ledger: Ledger = newLedger(),
): Promise<Ledger> {
  const url = () => random.pick(urls);
  const heard = (answer: Answer | null) => {
    ledger.requests++;
    if (answer === null) ledger.unanswered++;
    return answer;
  };

  const role = await makeRole(`role-${number}`, url, heard, isOver);
  if (role === null) return ledger;
  for (let turn = 0; !isOver(); turn++) {
    const alive = ledger.packs.filter(({ state }) => state !== 'deleted');
    const [pack] = alive.length === 0 ? [] : [alive[random.between(0, alive.length - 1)]];
    const chance = random.next();
    let answer: Answer | null;
    if (pack === undefined || (alive.length < MOST_PACKS && chance < 0.3)) {
      answer = heard(await uploadOne(ledger, url(), nameFor(ledger, number, turn, random)));
    } else if (chance < 0.5) {
      answer = heard(await attachPack(url(), role, pack.id));
      noteAttach(ledger, pack, answer);
    } else if (chance < 0.65) {
      answer = heard(await detachPack(url(), role, pack.id));
      noteDetach(ledger, pack, answer);
    } else if (chance < 0.85) {
      answer = heard(await deletePack(url(), pack.id));
      noteDelete(ledger, pack, [answer]);
    } else if (chance < 0.93) {
      // The same deletion on both replicas at once: one of them may have it.
      const answers = await Promise.all(urls.map((each) => deletePack(each, pack.id)));
      for (const each of answers) heard(each);
      answer = answers.find((each) => each !== null) ?? null;
      noteDelete(ledger, pack, answers);
    } else {
      answer = await raceAttachWithDelete(ledger, pack, role, urls, heard);
    }
    // A replica that is down refuses at once: without a pause the client would do nothing but knock.
    await pause(answer === null ? 300 : random.between(0, 30));
  }
  return ledger;
}

/** A role of the client's own, as soon as one can be made. */
export async function makeRole(
  name: string,
  url: () => string,
  heard: (answer: Answer | null) => Answer | null,
  isOver: () => boolean,
): Promise<string | null> {
  for (let attempt = 0; !isOver(); attempt++) {
    const made = heard(await createRole(url(), `${name}-${attempt}`));
    if (made?.role !== undefined) return made.role.id;
    await pause(300);
  }
  return null;
}

/** Half of the time a name again that was deleted: the same image, in the same repository. */
function nameFor(ledger: Ledger, number: number, turn: number, random: Random): string {
  const [free] = ledger.packs.filter(
    ({ name, state }) =>
      state === 'deleted' &&
      ledger.packs.every((other) => other.name !== name || other.state === 'deleted'),
  );
  return free !== undefined && random.next() < 0.5 ? free.name : `pack-${number}-${turn}`;
}

async function uploadOne(ledger: Ledger, url: string, name: string): Promise<Answer | null> {
  const answer = await upload(url, name);
  if (answer?.pack === undefined) {
    ledger.doubtfulNames.add(name);
    return answer;
  }
  const { id, imageDigest: digest } = answer.pack;
  ledger.packs.push({ id, name, digest, state: 'there', deletionBegun: false, attached: false });
  return answer;
}

function noteAttach(ledger: Ledger, pack: PackEntry, answer: Answer | null): void {
  switch (answer?.__typename) {
    case 'AttachedPack':
      pack.state = 'there';
      pack.attached = true;
      break;
    case 'NotFound':
      noteGone(ledger, pack);
      break;
    case 'PackBeingDeleted':
      if (!pack.deletionBegun) contradict(ledger, pack, 'being deleted, but nobody asked for it');
      break;
    case undefined:
      if (pack.attached === false) pack.attached = 'unknown';
      break;
  }
}

function noteDetach(ledger: Ledger, pack: PackEntry, answer: Answer | null): void {
  switch (answer?.__typename) {
    case 'DetachedPack':
      pack.attached = false;
      break;
    case 'NotFound':
      noteGone(ledger, pack);
      break;
    case undefined:
      if (pack.attached === true) pack.attached = 'unknown';
      break;
  }
}

function noteDelete(ledger: Ledger, pack: PackEntry, answers: readonly (Answer | null)[]): void {
  const said = (type: string) => answers.filter((answer) => answer?.__typename === type).length;
  const unanswered = answers.includes(null);
  if (unanswered || said('RegistryCleanupFailed') > 0) pack.deletionBegun = true;
  if (said('DeletedPack') > 1) contradict(ledger, pack, 'deleted twice');
  if (said('DeletedPack') > 0) {
    if (pack.attached === true) contradict(ledger, pack, 'deleted while a role held it');
    pack.state = 'deleted';
    pack.attached = false;
  } else if (said('NotFound') > 0) {
    noteGone(ledger, pack);
  } else if (said('PackInUse') > 0) {
    if (pack.attached === false) contradict(ledger, pack, 'in use, but nobody attached it');
  }
  if (unanswered && pack.state === 'there') pack.state = 'unknown';
}

function noteGone(ledger: Ledger, pack: PackEntry): void {
  if (!pack.deletionBegun) contradict(ledger, pack, 'not found, but nobody deleted it');
  if (pack.attached === true) contradict(ledger, pack, 'not found, but a role holds it');
  pack.state = 'deleted';
  pack.attached = false;
}

/** Never both: a pack that was deleted is held by no role. */
async function raceAttachWithDelete(
  ledger: Ledger,
  pack: PackEntry,
  role: string,
  [first, second]: readonly [string, string],
  heard: (answer: Answer | null) => Answer | null,
): Promise<Answer | null> {
  const [attached, deleted] = await Promise.all([
    attachPack(first, role, pack.id).then(heard),
    deletePack(second, pack.id).then(heard),
  ]);
  if (deleted?.__typename !== 'PackInUse') pack.deletionBegun = true;
  noteAttach(ledger, pack, attached);
  noteDelete(ledger, pack, [deleted]);
  return attached ?? deleted;
}

function contradict(ledger: Ledger, pack: PackEntry, what: string): void {
  ledger.contradictions.push(`${pack.name} (${pack.id}): ${what}`);
}
