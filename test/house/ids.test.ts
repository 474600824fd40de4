/** The domain has ids, never the UUIDs under them: what is below it turns one into the other (`model/ids.ts`). */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The database announces an event by UUIDs, in a text of its trigger's. */
const ANNOUNCED = 'src/audit/event-connection.ts';

test('the domain makes no id of a UUID, nor a UUID of an id', () => {
  const files = globSync('src/{packs,roles,keys,audit,consistency,identity}/**/*.ts');
  const turning = files.filter((file) => /\btoUuid\b|Ids\.of\(/.test(readFileSync(file, 'utf8')));
  expect(turning).toEqual([ANNOUNCED]);
});
