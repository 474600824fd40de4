import type { DeletionWorld } from '../packs/delete-pack.ts';
import type { RegistryFailure } from '../registry/registry.ts';
import { type CheckOutcome, checkConsistency } from './check-consistency.ts';
import type { Finding } from './finding.ts';
import { markNamespace, readMark } from './namespace-mark.ts';
import { repair } from './repair.ts';
import { isWanted, planRepair, type RepairOptions, type RepairPlan } from './repair-plan.ts';
import type { Report } from './report.ts';
import type { ImagesWalk } from './walk-consistency.ts';

export interface RunOptions extends RepairOptions {
  readonly repair: boolean;
  /** The namespace may be another database's, and is this one's from now on; only with `repair`. */
  readonly takeOver: boolean;
}

export type RunOutcome =
  | CheckOutcome
  /** Another database has marked the namespace: nothing was looked at. */
  | { readonly kind: 'foreign' }
  | RegistryFailure;

/** Findings that one run repairs; a healthy store never has as many, and the next run takes the rest. */
const MOST = 10_000;

/**
 * Checks and reports; and where repair is asked for, tells what it is about to do and does it, unless that looks like a
 * mistake. Nothing is changed before the whole check is made and the namespace is known to be this database's.
 */
export async function runCheck(
  world: DeletionWorld,
  walk: Omit<ImagesWalk, 'onFinding'>,
  report: Report,
  options: RunOptions,
): Promise<RunOutcome> {
  const mark = await readMark(world);
  if (mark.kind === 'failed') return mark;
  if (mark.by === 'another' && !options.takeOver) return { kind: 'foreign' };
  const toDo: Finding[] = [];
  const onFinding = async (finding: Finding) => {
    await report.found(finding);
    if (!options.repair) return report.settled(finding, null);
    if (finding.remedy === undefined) return report.settled(finding, left('needs a person'));
    if (toDo.length < MOST) return void toDo.push(finding);
    return report.settled(finding, left('one run repairs so many; repeat it'));
  };
  const checked = await checkConsistency(world, { ...walk, onFinding });
  if (!options.repair || checked.kind !== 'checked') {
    await report.ended({ isComplete: checked.kind === 'checked', plan: null });
    return checked;
  }
  const plan = planRepair(toDo, checked.progress.images, options);
  await report.planned(plan);
  if (plan.refusal === null) {
    const marked = await markNamespace(world, options);
    if (marked.kind === 'failed') return marked;
  }
  for (const finding of toDo) {
    await report.settled(finding, await settle(world, finding, plan, options));
  }
  await report.ended({ isComplete: true, plan });
  return checked;
}

async function settle(
  world: DeletionWorld,
  finding: Finding,
  { refusal }: RepairPlan,
  options: RepairOptions,
) {
  if (refusal !== null) return left(refusal);
  if (finding.remedy !== undefined && !isWanted(finding.remedy, options)) {
    return left('it is a whole pack, maybe the last copy; --discard-packs removes it');
  }
  return repair(world, finding);
}

const left = (why: string) => ({ kind: 'left', why }) as const;
