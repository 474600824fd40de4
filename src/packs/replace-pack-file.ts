import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Caller } from '../identity/caller.ts';
import type { PackRow } from '../model/pack-row.ts';
import type { PackFile } from './contents/pack-files.ts';
import type { ReadingWorld } from './contents/reading-world.ts';
import { type EditPackFileInput, editPackFile } from './edit-pack-file.ts';
import type { RevisionRefused } from './revise-pack.ts';

export interface ReplacePackFileInput extends EditPackFileInput {
  readonly content: NonNullable<EditPackFileInput['content']>;
}

export type ReplacePackFileOutcome =
  | { readonly kind: 'file_replaced'; readonly pack: PackRow; readonly file: PackFile }
  | RevisionRefused;

/** Changes one file of an uploaded pack of the caller's org, or adds it. */
export async function replacePackFile(
  world: ReadingWorld,
  caller: Caller,
  input: ReplacePackFileInput,
): Promise<ReplacePackFileOutcome> {
  const outcome = await editPackFile(world, caller, input);
  if (outcome.kind !== 'edited') return outcome;
  const { pack, before, path } = outcome;
  const hash = createHash('sha256');
  await pipeline(createReadStream(input.content.path), hash);
  const file = {
    pack,
    path,
    size: input.content.size,
    executable: before?.executable ?? false,
    hash: hash.digest('base64url'),
  };
  return { kind: 'file_replaced', pack, file };
}
