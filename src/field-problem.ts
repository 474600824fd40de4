/** One thing wrong with what a caller sent: where it is (`pack.yaml.name`, `archive/guides/x.md`) and why. */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}
