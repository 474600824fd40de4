import type { FieldProblem } from '../../field-problem.ts';

/** Letters left out, added or mistaken: more make it another word. */
const FEW_EDITS = 2;

/**
 * Keys that most likely stand for one of the optional ones, such as `capabilites` or `displayName`; none where that one
 * is there as well.
 */
export function misspeltKeys(
  keys: ReadonlySet<unknown>,
  optional: readonly string[],
): FieldProblem[] {
  // They go into a message as they are.
  const written = [...keys]
    .filter((key) => typeof key === 'string')
    .filter((key) => /^[\x20-\x7e]+$/.test(key));
  return optional
    .filter((right) => !keys.has(right))
    .flatMap((right) => {
      const wrong = written.find((key) => !optional.includes(key) && isNear(key, right));
      if (wrong === undefined) return [];
      const message = `is not a key of pack.yaml: did you mean "${right}"?`;
      return [{ path: `pack.yaml.${wrong}`, message }];
    });
}

/** By Levenshtein's distance. */
function isNear(one: string, other: string): boolean {
  if (Math.abs(one.length - other.length) > FEW_EDITS) return false;
  let distances = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [row, letter] of [...one].entries()) {
    const next = [row + 1];
    for (const [at, expected] of [...other].entries()) {
      const replaced = (distances[at] ?? 0) + (letter === expected ? 0 : 1);
      next.push(Math.min(replaced, (distances[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    distances = next;
  }
  return (distances[other.length] ?? 0) <= FEW_EDITS;
}
