import type { OrgId, PackId } from '../model/ids.ts';
import type { Digest, Repository } from '../registry/registry.ts';

/** What must hold between database and registry; the key is the name under which a breach is reported. */
export const invariants = {
  role_without_pack: 'no role references a missing pack',
  role_with_deleted_pack: 'no role references a pack that is being deleted',
  image_gone: 'no ACTIVE uploaded pack is without its image',
  orphaned_image: 'no image is in the namespace without a pack',
  deletion_unrecorded: 'each deleted pack has its PACK_DELETED event',
  deletion_untrue: 'no pack with a PACK_DELETED event is still there',
  deletion_unfinished: 'no deletion is stuck between mark and removal',
} as const;
export type Invariant = keyof typeof invariants;

/** What `--repair` can do about a finding. */
export type Remedy =
  | {
      readonly kind: 'purge';
      readonly repository: Repository;
      readonly digest: Digest;
      /** The image is a whole pack: maybe the last copy of one whose row was lost. */
      readonly isPack: boolean;
    }
  | {
      readonly kind: 'delete';
      readonly packId: PackId;
      readonly orgId: OrgId;
      readonly orgSlug: string;
    };

/** One breach of an invariant. */
export interface Finding {
  readonly invariant: Invariant;
  /** The org's slug, where the subject has one. */
  readonly org: string | null;
  /** An id, or an image as `<repository>@<digest>`. */
  readonly subject: string;
  readonly detail: string;
  /** What to do about it. */
  readonly advice: string;
  readonly remedy?: Remedy;
}
