import type { Caller } from '../identity/caller.ts';
import type { World } from '../world.ts';
import type { Expectation } from './expected-state.ts';
import {
  notUploaded,
  type RevisedPack,
  type RevisionRefused,
  revisable,
  revisePack,
} from './revise-pack.ts';
import { withPackImage } from './with-pack-image.ts';

export interface ReplacePackArchiveInput {
  /** As the caller sent it; what is no pack id is not found. */
  readonly id: string;
  /** Path of the `.tar.gz`; it stays the caller's to remove. */
  readonly archive: string;
  readonly expected?: Expectation | undefined;
}

export type ReplacePackArchiveOutcome =
  | { readonly kind: 'archive_replaced'; readonly pack: RevisedPack['pack'] }
  | RevisionRefused;

/** Gives an uploaded pack of the caller's org its next version; id, visibility and attachments stay. */
export async function replacePackArchive(
  world: World,
  caller: Caller,
  { id, archive, expected }: ReplacePackArchiveInput,
): Promise<ReplacePackArchiveOutcome> {
  const revision = { event: 'PACK_ARCHIVE_REPLACED', problem: notUploaded } as const;
  const found = await revisable(world, caller, id, revision.problem);
  if (found.kind !== 'revisable') return found;
  const outcome = await withPackImage(world, caller.orgId, archive, (metadata, image) =>
    revisePack(world, caller, found.pack, revision, async (pack, publish) => {
      expected?.({ pack });
      return publish(metadata, image);
    }),
  );
  return outcome.kind === 'revised' ? { kind: 'archive_replaced', pack: outcome.pack } : outcome;
}
