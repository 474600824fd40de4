import type { RegistryFailureReason } from '../registry/registry.ts';
import { detail, type Extent, type Listed } from './extent.ts';
import { Pack } from './pack.entity.ts';
import { fieldsOf, type Rows, rowsOf, rowsOfAsked } from './rows-of.ts';

/** A pack as reads see it: the fields of the entity, which is one itself. */
export type PackRow = Readonly<Pick<Pack, Extract<keyof Pack, string>>>;

/** A pack of a list. */
export type ListedPack = Listed<PackRow>;

/** What may be longer than all the rest. */
const wide = ['capabilities'] as const;
/** What lists rarely show. */
const rare = [
  'description',
  'category',
  'suggestedPacks',
  'repository',
  'imageDigest',
  'cleanupReason',
  'cleanupMessage',
  'cleanupFailedAt',
  'cleanupAttempts',
  'updatedAt',
] as const;

/** A pack without what may be longer than all the rest. */
export type DescribedPack = Omit<PackRow, (typeof wide)[number]>;

const all = fieldsOf(Pack);
const without = (left: readonly string[]) => all.filter((field) => !left.includes(field));
const described = without(wide);
const brief = without([...wide, ...rare]);

/**
 * A pack that was read whole, or but for its capabilities.
 * @throws Error where it was not
 */
export function describedPack(pack: ListedPack): DescribedPack {
  for (const field of described) detail(pack[field]);
  // Nothing is missing: the loop has looked.
  return pack as DescribedPack;
}

/** Statements must call the table `p`. */
export const packRows: Record<Exclude<Extent, 'whole'>, Rows<ListedPack>> & {
  readonly whole: Rows<PackRow>;
} = {
  brief: rowsOf(Pack, 'p', brief),
  described: rowsOf(Pack, 'p', described),
  whole: rowsOf(Pack, 'p', all),
};

/** The columns that a field of the schema takes, where none of them is long or rare. */
const briefColumns = new Map<string, readonly (keyof PackRow)[]>([
  ...brief.map((field) => [field, [field]] as const),
  ['orgId', ['org']],
  ['owned', ['org']],
  ['status', ['org', 'status']],
  ['roles', []],
  ['deletionPreview', []],
  ['__typename', []],
]);

/** As much of a pack as fields of it need. */
export function packExtent(fields: ReadonlySet<string>): Extent {
  if (fields.has('capabilities')) return 'whole';
  return [...fields].every((field) => briefColumns.has(field)) ? 'brief' : 'described';
}

const briefRows = rowsOfAsked<keyof PackRow, ListedPack>(briefColumns, (columns) =>
  rowsOf(Pack, 'p', columns),
);

/** What a list reads of its packs for fields of them. Statements must call the table `p`. */
export function listedPackRows(fields: ReadonlySet<string>): Rows<ListedPack> {
  const extent = packExtent(fields);
  return extent === 'brief' ? briefRows(fields) : packRows[extent];
}

/** Why the last purge failed. */
export interface CleanupFailure {
  readonly reason: RegistryFailureReason;
  readonly message: string;
  readonly at: Date;
  readonly attempts: number;
}

/** Why the last purge of a pack's image failed; null where none did. */
export function cleanupFailureOf(pack: ListedPack): CleanupFailure | null {
  const reason = detail(pack.cleanupReason);
  const at = detail(pack.cleanupFailedAt);
  if (reason === null || at === null) return null;
  const attempts = detail(pack.cleanupAttempts);
  return { reason, message: pack.cleanupMessage ?? '', at, attempts };
}
