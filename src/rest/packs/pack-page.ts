import type { Caller } from '../../identity/caller.ts';
import { type PackRow, packRows } from '../../model/pack-row.ts';
import { listPacks, type PackFilter } from '../../packs/list-packs.ts';
import type { Page, PageRequest } from '../../page.ts';
import type { World } from '../../world.ts';

/** Whole packs are up to 128 KiB each: so many at a time are no burden on memory. */
const PACKS_PER_STATEMENT = 50;
/** Of the packs' long texts. What goes beyond is on the next page. */
const MOST_CHARACTERS = 2 * 1024 ** 2;

const WHOLE = { rows: packRows.whole, roles: null };

/** A page of whole packs; it ends early, and says that there are more, where they are very long. */
export async function pageOfPacks(
  world: World,
  caller: Caller,
  request: PageRequest,
  filter: PackFilter,
): Promise<Page<PackRow>> {
  const items: PackRow[] = [];
  let page: Page<PackRow>;
  let left = MOST_CHARACTERS;
  let { olderThan } = request;
  do {
    const size = Math.min(PACKS_PER_STATEMENT, request.size - items.length);
    page = await listPacks(world, caller, { ...request, olderThan, size }, filter, WHOLE);
    for (const pack of page.items) {
      items.push(pack);
      olderThan = pack.id;
      left -= (pack.capabilities?.length ?? 0) + (pack.description?.length ?? 0);
    }
  } while (page.hasNext && items.length < request.size && left > 0);
  return { items, hasNext: page.hasNext, hasPrevious: request.olderThan !== null };
}
