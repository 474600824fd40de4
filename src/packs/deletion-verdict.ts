/**
 * "May this pack be deleted, and what becomes of its image?": the one place where that is decided.
 *
 * `deletePack` (GraphQL and REST) and `deletionPreview` select the same two columns, so that the decision is made
 * by the database, under its own snapshot and locks. The statement must call the table `p`.
 */
import { acrossOrgs } from '../database/cross-org.ts';
import type { ImageDisposition } from './image-disposition.ts';

export const deletionVerdict = `
  (
    exists (select 1 from role_packs a where a.pack_id = p.id and a.org_id = p.org_id)
    or exists (select 1 from role_packs a where a.pack_id = p.id and a.org_id <> p.org_id)
  ) as in_use,
  case
    when p.image_origin <> 'UPLOAD' or p.image_digest is null then 'NOT_MANAGED'
    when exists (
      select ${acrossOrgs('image shared')} 1 from packs o
      where o.repository = p.repository and o.image_digest = p.image_digest and o.id <> p.id
    ) then 'RETAINED_SHARED'
    else 'PURGED'
  end as image`;

/** What `deletionVerdict` selects. */
export interface DeletionVerdict {
  /** A role still references the pack; archived roles and those of other orgs count. */
  readonly in_use: boolean;
  /** What a deletion does with the image; PURGED means that the registry has to be called first. */
  readonly image: Exclude<ImageDisposition, 'ALREADY_GONE'>;
}
