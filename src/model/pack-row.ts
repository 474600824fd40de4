import type { RegistryFailureReason } from '../registry/registry.ts';
import { detail, type Extent } from './extent.ts';
import { Pack } from './pack.entity.ts';
import { fieldsOf, type Rows, rowsOf } from './rows-of.ts';

/** A pack as reads see it: the fields of the entity, which is one itself. */
export type PackRow = Readonly<Pick<Pack, Extract<keyof Pack, string>>>;

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
type Detail = (typeof wide)[number] | (typeof rare)[number];

/** A pack of a list, which may lack details; `detail` tells a missing one from null. */
export type ListedPack = Omit<PackRow, Detail> & Partial<Pick<PackRow, Detail>>;

/** A pack without what may be longer than all the rest. */
export type DescribedPack = Omit<PackRow, (typeof wide)[number]>;

/**
 * A pack that was read whole, or but for its capabilities.
 * @throws Error where it was not
 */
export function describedPack(pack: ListedPack): DescribedPack {
  for (const field of rare) detail(pack[field]);
  // Nothing is missing: the loop has looked.
  return pack as DescribedPack;
}

const all = fieldsOf(Pack);
const without = (left: readonly string[]) => all.filter((field) => !left.includes(field));

/** Statements must call the table `p`. */
export const packRows: Record<Exclude<Extent, 'whole'>, Rows<ListedPack>> & {
  readonly whole: Rows<PackRow>;
} = {
  brief: rowsOf(Pack, 'p', without([...wide, ...rare])),
  described: rowsOf(Pack, 'p', without(wide)),
  whole: rowsOf(Pack, 'p', all),
};

/** Names that take no more of a pack than every extent has. */
const derived = ['orgId', 'owned', 'roles', 'deletionPreview', '__typename'];
const briefNames = new Set([...without([...wide, ...rare]), ...derived]);

/** As much of a pack as fields of it need. */
export function packExtent(fields: ReadonlySet<string>): Extent {
  if (fields.has('capabilities')) return 'whole';
  return [...fields].every((field) => briefNames.has(field)) ? 'brief' : 'described';
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
