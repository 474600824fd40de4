import { acrossOrgs } from '../database/cross-org.ts';
import type { Database } from '../database/database.ts';

/** Whether any pack has an image that was uploaded to the embedded registry, whose references name no host. */
export async function knowsEmbeddedImages(database: Database): Promise<boolean> {
  const [row] = await database.query<{ known: boolean }>(
    `select exists (
       select ${acrossOrgs('embedded registry')} 1 from packs p
       where p.image_origin = 'UPLOAD' and p.image_digest is not null
         and starts_with(p.image_ref, p.repository)
     ) as known`,
    [],
  );
  return row?.known ?? false;
}
