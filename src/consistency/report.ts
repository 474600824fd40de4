/** What a check found, reported as it goes: only the counts are kept. */
import { type Finding, type Invariant, invariants } from './finding.ts';
import type { RepairOutcome } from './repair.ts';
import type { RepairPlan } from './repair-plan.ts';

/** Resolves when the text is on its way. */
export type Write = (text: string) => Promise<void>;

/** How a check ended. */
export interface Ending {
  /** False: interrupted, or the registry failed. */
  readonly isComplete: boolean;
  readonly plan: RepairPlan | null;
}

export interface Report {
  /** Whether nothing is left to do. */
  isClean(): boolean;
  found(finding: Finding): Promise<void>;
  /** What is going to be done, before it is. */
  planned(plan: RepairPlan): Promise<void>;
  /** After `found`, once for each: what was done about it, where repair was asked for. */
  settled(finding: Finding, repair: RepairOutcome | null): Promise<void>;
  ended(ending: Ending): Promise<void>;
}

/** Counts, which every report has. */
class Tally {
  readonly #counts = new Map<Invariant, number>();
  #left = 0;

  add({ invariant }: Finding, repair: RepairOutcome | null): void {
    this.#counts.set(invariant, this.of(invariant) + 1);
    if (repair?.kind !== 'repaired') this.#left++;
  }
  readonly of = (invariant: Invariant): number => this.#counts.get(invariant) ?? 0;
  readonly isClean = (): boolean => this.#left === 0;
}

/** A line for each finding with what to do about it, then a line for each invariant; for people. */
export function tableOn(write: Write): Report {
  const tally = new Tally();
  return {
    isClean: tally.isClean,
    found: ({ invariant, org, subject, detail, advice }) =>
      write(`${[invariant, org ?? '-', subject, detail].join('  ')}\n    -> ${advice}\n`),
    planned: (plan) => write(`\n${inWords(plan)}\n\n`),
    async settled(finding, repair) {
      tally.add(finding, repair);
      if (repair !== null) await write(`${outcomeOf(repair)}  ${finding.subject}\n`);
    },
    async ended({ isComplete }) {
      const names = Object.keys(invariants) as Invariant[]; // the keys of a constant object are what its type says
      const width = Math.max(...names.map((name) => name.length));
      const counts = names.map((name) => {
        const count = String(tally.of(name)).padStart(6);
        return `${name.padEnd(width)}  ${count}  ${invariants[name]}\n`;
      });
      await write(`${counts.join('')}${isComplete ? '' : 'NOT COMPLETE\n'}`);
    },
  };
}

/** One JSON document, written as it comes; for programs. */
export function jsonOn(write: Write): Report {
  const tally = new Tally();
  let isBegun = false;
  const begin = () => {
    const text = isBegun ? ',' : '{"findings":[';
    isBegun = true;
    return text;
  };
  return {
    isClean: tally.isClean,
    found: async () => undefined,
    planned: async () => undefined,
    async settled(finding, repair) {
      tally.add(finding, repair);
      const { invariant, org, subject, detail, advice, remedy } = finding;
      const repairable = remedy !== undefined;
      const told = { invariant, org, subject, detail, advice, repairable, repair };
      await write(`${begin()}${JSON.stringify(told)}`);
    },
    async ended({ isComplete, plan }) {
      const rest = { clean: isComplete && tally.isClean(), complete: isComplete, plan };
      const start = isBegun ? '' : begin();
      await write(`${start}],${JSON.stringify(rest).slice(1)}\n`);
    },
  };
}

function inWords({ images, purges, deletions, packsKept, refusal }: RepairPlan): string {
  const work = `--repair removes ${purges} of ${images} images and finishes ${deletions} deletions`;
  const kept = packsKept === 0 ? '' : `; ${packsKept} that are whole packs stay`;
  return refusal === null ? `${work}${kept}` : `--repair does nothing: ${refusal}`;
}

const outcomeOf = (repair: RepairOutcome): string =>
  repair.kind === 'repaired' ? 'REPAIRED' : `LEFT (${repair.why})`;
