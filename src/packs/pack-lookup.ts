import type { Database } from '../database/database.ts';
import type { Placed } from '../database/gathered.ts';
import type { OrgId, PackId } from '../model/ids.ts';
import { type PackArray, type PackRow, packAsArray, packOfArray } from '../model/pack-row.ts';
import { askedPacks, askingAboutPacks } from './asked-packs.ts';
import { visibleTo } from './find-pack.ts';

/** Finds a pack that an org may see, or null. */
export type PackLookup = (org: OrgId, id: PackId) => Promise<PackRow | null>;

/** The lookup, for many requests in one statement; each for its own org. */
export const createPackLookup = (database: Database): PackLookup =>
  askingAboutPacks(
    database,
    `select k.place, ${packAsArray('whole')} as pack
     from ${askedPacks} join packs p on p.id = k.pack_id where ${visibleTo('k.org_id')}`,
    ({ pack }: Placed & { readonly pack: PackArray }) => packOfArray(pack),
  );
