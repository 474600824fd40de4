/** One thing wrong with what a caller sent: where it is (`pack.yaml.name`, `archive/guides/x.md`) and why. */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

const MOST_TOLD = 20;

/** As many problems as anybody reads, and how many more there are. */
export function firstProblems(problems: readonly FieldProblem[]): readonly FieldProblem[] {
  const more = problems.slice(MOST_TOLD);
  const [first] = more;
  if (first === undefined) return problems;
  const message = `${first.message} (and ${more.length - 1} more problems, which are not listed)`;
  return [...problems.slice(0, MOST_TOLD), { ...first, message }];
}
