import type { Database } from '../database/database.ts';
import type { Placed } from '../database/gathered.ts';
import type { OrgId, PackId } from '../model/ids.ts';
import { type PackArray, type PackRow, packAsArray, packOfArray } from '../model/pack-row.ts';
import { aboutPacks, askedPacks } from './asked-packs.ts';
import { visibleTo } from './find-pack.ts';

/** A pack that an org may see, or null; for many requests in one statement. */
export const lookUpPack = (database: Database, org: OrgId, id: PackId): Promise<PackRow | null> =>
  database.gather(packsById, { org, id });

const packsById = aboutPacks(
  `select k.place, ${packAsArray('whole')} as pack
   from ${askedPacks} join packs p on p.id = k.pack_id where ${visibleTo('k.org_id')}`,
  ({ pack }: Placed & { readonly pack: PackArray }) => packOfArray(pack),
);
