import type { FieldProblem } from '../../field-problem.ts';

/**
 * Ends the reading of an archive at its first structural problem.
 *
 * Thrown only inside this folder and by the readers of images, where it unwinds the streams; what use-cases call answers
 * with outcomes.
 */
export class ArchiveRefused extends Error {
  readonly problem: FieldProblem;

  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.problem = { path, message };
  }
}

/** The compressed stream is longer than an upload may be. */
export class ArchiveTooLarge extends Error {}

/** What is said of a file that is no archive. */
export const HOW_TO_MAKE_ONE = 'make one with: tar -czf incident-triage.tar.gz incident-triage';

/** Characters of a name, which may be a kilobyte: enough to find the entry by. */
const LONGEST_SHOWN = 200;

/** The `FieldProblem` path of an archive entry: control characters spelled out, since JSON and PostgreSQL keep it. */
export function entryProblemPath(name: string): string {
  const visible = name.replace(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const shown = visible.length > LONGEST_SHOWN ? `${visible.slice(0, LONGEST_SHOWN)}…` : visible;
  return `archive/${shown.toWellFormed()}`;
}
