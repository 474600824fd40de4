/** Deletion against everything that may happen at the same time, on two gateways that share a PostgreSQL. */
import { describe, expect, test } from 'vitest';
import { samplePack } from '../support/archives.ts';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import {
  attachPack,
  deletePack,
  eventsOf,
  insertUnmanagedPack,
  isPullable,
  role,
  rowOf,
} from '../support/deletion.ts';
import { isSweep } from '../support/extent.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { registryEnvironment } from '../support/registries.ts';

async function startTwo(): Promise<[Gateway, Gateway]> {
  const registry = await registryEnvironment('docker-registry');
  const first = await startGateway({ database: 'postgres', environment: registry });
  const { DATABASE_URL = '' } = first.environment;
  const second = await startGateway({ environment: { ...registry, DATABASE_URL } });
  return [first, second];
}

/** How many rounds are tried of so many that are swept. */
const roundsOf = (all: number): number => (isSweep ? all : all / 5);
const races = { unmanaged: roundsOf(150), uploaded: roundsOf(60), reborn: roundsOf(60) };
/** More rounds, up to all, until each end was seen: else the calls would not have raced. */
const goesOn = (round: number, all: number, seen: number): boolean =>
  round < roundsOf(all) || (round < all && seen === 0);

const PACKS_OF_ROLE = `query ($id: ID!) { agentRole(id: $id) { packs { nodes { id status } } } }`;
const packsOfRole = async (gateway: Gateway, id: string): Promise<Json[]> =>
  (await gateway.graphql(PACKS_OF_ROLE, { id })).data.agentRole.packs.nodes;

describe.skipIf(!installed('docker-registry'))('two gateways on one database and registry', () => {
  test(`${races.unmanaged} races of attach and delete on unmanaged packs end with one winner each`, async () => {
    const [one, two] = await startTwo();
    const race = new Race();
    for (let round = 0; goesOn(round, 150, race.fewestWins()); round++) {
      const packId = await insertUnmanagedPack(one, { name: `pack-${round}` });
      const roleId = await role(one, `role-${round}`);
      const [deleted, attached] = await Promise.all([
        later(race.deletion(3), () => deletePack(round % 2 ? one : two, packId)),
        later(race.attachment(3), () => attachPack(round % 2 ? two : one, roleId, packId)),
      ]);
      const row = await rowOf(one, packId);
      const attachments = await packsOfRole(two, roleId);
      if (deleted.__typename === 'DeletedPack') {
        race.won('deletion');
        expect(row).toBeUndefined();
        expect(attachments).toEqual([]);
        expect(attached.__typename).toBe('NotFound');
      } else {
        race.won('attachment');
        expect(deleted.__typename).toBe('PackInUse');
        expect(attached.__typename).toBe('AttachedPack');
        expect(attachments).toEqual([{ id: packId, status: 'ACTIVE' }]);
      }
    }
    // Otherwise the calls did not race.
    expect(race.fewestWins()).toBeGreaterThan(0);
  });

  test('of many deletions at once, a role that takes one of the packs holds up that one alone', async () => {
    const [one, two] = await startTwo();
    const race = new Race();
    for (let round = 0; goesOn(round, 30, race.fewestWins()); round++) {
      const names = Array.from({ length: 8 }, (_, at) => `pack-${round}-${at}`);
      const packIds = await Promise.all(names.map((name) => insertUnmanagedPack(one, { name })));
      const [wanted = ''] = packIds;
      const roleId = await role(one, `role-${round}`);
      const [attached, deleted] = await Promise.all([
        later(race.attachment(6), () => attachPack(two, roleId, wanted)),
        later(race.deletion(0), () =>
          Promise.all([...packIds, ...packIds].map((id) => deletePack(one, id))),
        ),
      ]);
      const isAttached = attached.__typename === 'AttachedPack';
      race.won(isAttached ? 'attachment' : 'deletion');
      for (const [at, id] of packIds.entries()) {
        const answers = [deleted[at], deleted[at + packIds.length]].map((one) => one?.__typename);
        const isHeld = id === wanted && isAttached;
        const expected = isHeld ? ['PackInUse', 'PackInUse'] : ['DeletedPack', 'NotFound'];
        expect(answers.sort()).toEqual(expected);
        expect(await eventsOf(one, id)).toEqual(isHeld ? ['PACK_ATTACHED'] : ['PACK_DELETED']);
      }
    }
    expect(race.fewestWins()).toBeGreaterThan(0);
  });

  test(`${races.uploaded} races of attach and delete on uploaded packs never part a role from its image`, async () => {
    const [one, two] = await startTwo();
    const race = new Race();
    for (let round = 0; goesOn(round, 60, race.fewestWins()); round++) {
      const { id: packId } = await one.pack(`pack-${round}`);
      await putBystander(one, `pack-${round}`);
      const before = await rowOf(one, packId);
      if (before === undefined) throw new Error('an uploaded pack is not there');
      const roleId = await role(one, `role-${round}`);
      const [deleted, attached] = await Promise.all([
        later(race.deletion(3), () => deletePack(round % 2 ? one : two, packId)),
        later(race.attachment(12), () => attachPack(round % 2 ? two : one, roleId, packId)),
      ]);
      const attachments = await packsOfRole(two, roleId);
      if (deleted.__typename === 'DeletedPack') {
        race.won('deletion');
        expect(await rowOf(one, packId)).toBeUndefined();
        expect(attachments).toEqual([]);
        expect(['NotFound', 'PackBeingDeleted']).toContain(attached.__typename);
        expect(await isPullable(two, before)).toBe(false);
      } else {
        race.won('attachment');
        expect(deleted.__typename).toBe('PackInUse');
        expect(attached.__typename).toBe('AttachedPack');
        expect(attachments).toEqual([{ id: packId, status: 'ACTIVE' }]);
        expect(await isPullable(two, before)).toBe(true);
      }
      expect(await stateOfBystander(two, `pack-${round}`)).toBe('whole');
    }
    expect(race.fewestWins()).toBeGreaterThan(0);
  });

  test('a role with packs is made whole or not at all while they are deleted', async () => {
    const [one, two] = await startTwo();
    for (let round = 0; round < roundsOf(40); round++) {
      const packIds = await Promise.all(
        ['a', 'b', 'c'].map((name) => insertUnmanagedPack(one, { name: `${name}-${round}` })),
      );
      const [, made] = await Promise.all([
        deletePack(one, packIds[round % 3] ?? ''),
        role(two, `role-${round}`, packIds).catch(() => null),
      ]);
      const left = await Promise.all(packIds.map((id) => rowOf(one, id)));
      if (made === null) continue;
      expect(left).not.toContain(undefined);
      expect(await packsOfRole(one, made)).toHaveLength(3);
    }
  });

  test('of 20 deletions at once one says deleted, and one event is written', async () => {
    const gateways = await startTwo();
    for (let round = 0; round < roundsOf(5); round++) {
      const { id } = await gateways[0].pack('contended');
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, at) => deletePack(gateways[at % 2] ?? gateways[0], id)),
      );
      const kinds = answers.map(({ __typename }) => __typename).sort();
      expect(kinds).toEqual(['DeletedPack', ...Array(19).fill('NotFound')]);
      expect(await eventsOf(gateways[0], id)).toEqual([
        'PACK_UPLOADED',
        'PACK_DELETION_STARTED',
        'PACK_DELETED',
      ]);
    }
  });

  test(`${races.reborn} races of deletion and upload of the same content leave no pack without its image`, async () => {
    const [one, two] = await startTwo();
    const archive = samplePack({ name: 'phoenix' });
    let current: Json = await one.pack('phoenix');
    await putBystander(one, 'phoenix');
    let reborn = 0;
    for (let round = 0; goesOn(round, 60, reborn); round++) {
      const uploads = Promise.all(
        [one, two].map((gateway) => uploadUntilDecided(gateway, archive)),
      );
      const deletions = Promise.all([one, two].map((gateway) => deletePack(gateway, current.id)));
      const [deleted, uploaded] = [await deletions, await uploads];
      expect(deleted.filter(({ __typename }) => __typename === 'DeletedPack')).toHaveLength(1);
      const made = uploaded.filter(({ __typename }) => __typename === 'UploadedPack');
      expect(made.length).toBeLessThanOrEqual(1);
      reborn += made.length;
      current = made[0]?.pack ?? (await one.pack('phoenix'));
      const row = await rowOf(two, current.id);
      expect(row?.status).toBe('ACTIVE');
      expect(row && (await isPullable(two, row))).toBe(true);
      expect(await stateOfBystander(two, 'phoenix')).toBe('whole');
    }
    expect(reborn).toBeGreaterThan(0);
  });
});

/** Tries again while the name is taken, a few times: the deletion may not have got that far. */
async function uploadUntilDecided(gateway: Gateway, archive: Buffer): Promise<Json> {
  let answer: Json;
  for (let tries = 0; tries < 6; tries++) {
    answer = await gateway.upload(archive);
    if (answer.__typename === 'UploadedPack') return answer;
  }
  return answer;
}

type Racer = 'attachment' | 'deletion';

/** Whoever wins is held back, twice as long each time, until the other does: each wins on a machine of whatever speed. */
class Race {
  readonly #wins: Record<Racer, number> = { attachment: 0, deletion: 0 };
  #winner: Racer | null = null;
  #step = 1;
  /** Milliseconds by which the deletion begins later; below zero, by which the attachment does. */
  #deletion = 0;

  /** When it begins, up to `jitter` milliseconds later. */
  deletion = (jitter: number): number => Math.max(0, this.#deletion) + Math.random() * jitter;
  attachment = (jitter: number): number => Math.max(0, -this.#deletion) + Math.random() * jitter;

  won(winner: Racer): void {
    this.#wins[winner] += 1;
    this.#step = winner === this.#winner ? this.#step * 2 : 1;
    this.#winner = winner;
    this.#deletion += winner === 'deletion' ? this.#step : -this.#step;
  }

  fewestWins = (): number => Math.min(...Object.values(this.#wins));
}

async function later<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return work();
}
