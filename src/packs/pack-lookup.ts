import type { Database } from '../database/database.ts';
import type { Placed } from '../database/gathered.ts';
import type { Extent } from '../model/extent.ts';
import type { OrgId, PackId } from '../model/ids.ts';
import { type ListedPack, packRows } from '../model/pack-row.ts';
import { aboutPacks, askedPacks } from './asked-packs.ts';
import { visibleTo } from './find-pack.ts';

/** A pack that an org may see, or null; for many requests in one statement. */
export const lookUpPack = (
  database: Database,
  org: OrgId,
  id: PackId,
  extent: Extent = 'whole',
): Promise<ListedPack | null> => database.gather(packsById[extent], { org, id });

const readingPacks = (extent: Extent) =>
  aboutPacks(
    `select k.place, ${packRows[extent].json} as pack
     from ${askedPacks} join packs p on p.id = k.pack_id where ${visibleTo('k.org_id')}`,
    ({ pack }: Placed & { readonly pack: readonly unknown[] }): ListedPack =>
      packRows[extent].ofArray(pack),
  );

const packsById = {
  brief: readingPacks('brief'),
  described: readingPacks('described'),
  whole: readingPacks('whole'),
};
