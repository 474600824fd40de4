import type { Caller } from '../identity/caller.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { ReadingWorld } from './contents/reading-world.ts';
import { type EditPackFileInput, editPackFile } from './edit-pack-file.ts';
import type { RevisionRefused } from './revise-pack.ts';

export type DeletePackFileOutcome =
  | { readonly kind: 'file_deleted'; readonly pack: PackRow }
  | RevisionRefused;

/** Takes one file out of an uploaded pack of the caller's org. */
export async function deletePackFile(
  world: ReadingWorld,
  caller: Caller,
  input: Omit<EditPackFileInput, 'content'>,
): Promise<DeletePackFileOutcome> {
  const outcome = await editPackFile(world, caller, { ...input, content: null });
  return outcome.kind === 'edited' ? { kind: 'file_deleted', pack: outcome.pack } : outcome;
}
