/** One thing wrong with what a caller sent: where it is (`pack.yaml.name`, `archive/guides/x.md`) and why. */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** Something that was read is not valid, for these reasons. */
export interface Invalid {
  readonly kind: 'invalid';
  readonly fields: readonly FieldProblem[];
}

/** The same, for one reason. */
export const invalid = (path: string, message: string): Invalid => ({
  kind: 'invalid',
  fields: [{ path, message }],
});

/** Problems that are listed: more would not be read. */
const MOST_TOLD = 20;

/** The first problems, and how many more there are. */
export function firstProblems(problems: readonly FieldProblem[]): readonly FieldProblem[] {
  const more = problems.slice(MOST_TOLD);
  const [first] = more;
  if (first === undefined) return problems;
  const message = `${first.message} (and ${more.length - 1} more problems, which are not listed)`;
  return [...problems.slice(0, MOST_TOLD), { ...first, message }];
}
