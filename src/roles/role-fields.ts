import { z } from 'zod';
import { singleLine, text } from '../input.ts';

/** Packs that are locked and attached in one transaction; attachPack adds more, one by one. */
const MOST_PACKS = 500;

/** What is wrong with a bad name. */
export const ROLE_NAME_RULE =
  'must be 1 to 63 of a-z, 0-9, ".", "_" and "-", and start and end with a letter or digit';

/** What each field of a role may hold; creation and update share it. */
export const roleFields = {
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/, ROLE_NAME_RULE),
  displayName: singleLine(255),
  description: text(4096),
  packIds: z.array(z.string()).max(MOST_PACKS, `must have at most ${MOST_PACKS} entries`),
};
