import type { Attack } from './attack.ts';
import { archives } from './attacks/archives.ts';
import { atOnce } from './attacks/at-once.ts';
import { documents } from './attacks/documents.ts';
import { lists } from './attacks/lists.ts';
import { multipart } from './attacks/multipart.ts';
import { streams } from './attacks/streams.ts';
import { variables } from './attacks/variables.ts';

export const attacks: readonly Attack[] = [
  ...documents,
  ...lists,
  ...variables,
  ...multipart,
  ...archives,
  ...streams,
  ...atOnce,
];
