import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { breakingChanges, presentSchema, schemaBefore } from '../support/schema-changes.ts';

const ACCEPTED = 'schema-breaking-changes.txt';

test(`no client of the last committed schema breaks, unless ${ACCEPTED} accepts it`, async () => {
  const present = presentSchema();
  const accepted = readFileSync(ACCEPTED, 'utf8').split('\n');
  const changes = await breakingChanges(schemaBefore(present), present);
  expect(changes.filter((change) => !accepted.includes(change))).toEqual([]);
});

test.each([
  [
    'a field goes',
    (sdl: string) => sdl.replaceAll('otherOrgRoleCount', 'others'),
    'otherOrgRoleCount',
  ],
  [
    'a problem leaves a union',
    (sdl: string) => sdl.replace(/\bPackInUse \| /, ''),
    'DeletePackResult',
  ],
  [
    'an argument becomes required',
    (sdl: string) => sdl.replace('filter: PackFilter', 'filter: PackFilter!'),
    'filter',
  ],
  [
    'a field may be null',
    (sdl: string) => sdl.replace('deletedAt: DateTime!', 'deletedAt: DateTime'),
    'deletedAt',
  ],
  ['an enum value goes', (sdl: string) => sdl.replace('ALREADY_GONE', 'GONE'), 'ALREADY_GONE'],
])('is noticed when %s', async (_what, change, named) => {
  const present = presentSchema();
  const changed = change(present);
  expect(changed).not.toBe(present);
  expect((await breakingChanges(present, changed)).join()).toContain(named);
});

test('a new field breaks nobody', async () => {
  const present = presentSchema();
  const extended = present.replace('type DeletedPack {', 'type DeletedPack {\n  version: String\n');
  expect(await breakingChanges(present, extended)).toEqual([]);
});
