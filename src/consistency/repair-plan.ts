import type { Finding, Remedy } from './finding.ts';

export interface RepairOptions {
  /** Images that are whole packs go as well. */
  readonly discardPacks: boolean;
  /** However many images go. */
  readonly force: boolean;
}

/** What `--repair` is about to do. */
export interface RepairPlan {
  readonly images: number;
  readonly purges: number;
  readonly deletions: number;
  /** Images that it leaves, because each may be the last copy of a pack. */
  readonly packsKept: number;
  /** Why nothing is to be done at all. */
  readonly refusal: string | null;
}

/** So many images may go without `--force`, and one in ten of a large namespace. */
const FEW = 3;
const SHARE = 0.1;

/** @param images how many there are in what was checked of the namespace */
export function planRepair(
  findings: readonly Finding[],
  images: number,
  options: RepairOptions,
): RepairPlan {
  const remedies = findings.flatMap(({ remedy }) => remedy ?? []);
  const toDo = remedies.filter((remedy) => isWanted(remedy, options));
  const purges = toDo.filter(({ kind }) => kind === 'purge').length;
  const isTooMuch = purges > Math.max(FEW, Math.floor(images * SHARE)) && !options.force;
  return {
    images,
    purges,
    deletions: toDo.length - purges,
    packsKept: remedies.length - toDo.length,
    refusal: isTooMuch
      ? `${purges} of ${images} images would go, and more than ${FEW} and one in ten look like the wrong database, ` +
        'namespace or backup; look at them, and repeat with --force'
      : null,
  };
}

/** Whether a remedy is what the operator asked for. */
export const isWanted = (remedy: Remedy, { discardPacks }: RepairOptions): boolean =>
  remedy.kind === 'delete' || !remedy.isPack || discardPacks;
