import type { Caller } from '../identity/caller.ts';
import type { PackRow } from '../model/pack-row.ts';

/** What a caller is told of a pack's state: that a deletion failed is for its owner, that it cannot be used for everybody. */
export const statusShownTo = (
  { orgId }: Caller,
  pack: Pick<PackRow, 'org' | 'status'>,
): PackRow['status'] =>
  pack.status === 'CLEANUP_FAILED' && pack.org !== orgId ? 'DELETING' : pack.status;
