import { type Finding, type Invariant, invariants } from './finding.ts';
import type { RepairOutcome } from './repair.ts';

/** A finding, and what was done about it where repair was asked for. */
export interface Checked {
  readonly finding: Finding;
  readonly repair?: RepairOutcome;
}

/** A line per invariant, then a line per finding; for people. */
export function asTable(checked: readonly Checked[]): string {
  const names = Object.keys(invariants) as Invariant[]; // the keys of a constant object are what its type says
  const width = Math.max(...names.map((name) => name.length));
  const counts = names.map((name) => {
    const count = checked.filter(({ finding }) => finding.invariant === name).length;
    return `${name.padEnd(width)}  ${String(count).padStart(6)}  ${invariants[name]}`;
  });
  const lines = checked.map(({ finding, repair }) =>
    [
      finding.invariant,
      finding.org ?? '-',
      finding.subject,
      finding.detail,
      ...outcomeOf(repair),
    ].join('  '),
  );
  return [...counts, ...(lines.length === 0 ? [] : ['', ...lines]), ''].join('\n');
}

/** The same for programs. */
export function asJson(checked: readonly Checked[]): string {
  return `${JSON.stringify({
    clean: checked.every(isSettled),
    findings: checked.map(({ finding, repair }) => ({
      invariant: finding.invariant,
      org: finding.org,
      subject: finding.subject,
      detail: finding.detail,
      repairable: finding.remedy !== undefined,
      repair: repair ?? null,
    })),
  })}\n`;
}

/** Whether nothing is left to do about it. */
export const isSettled = ({ repair }: Checked): boolean => repair?.kind === 'repaired';

const outcomeOf = (repair: RepairOutcome | undefined): string[] =>
  repair === undefined ? [] : [repair.kind === 'repaired' ? 'REPAIRED' : `LEFT: ${repair.why}`];
