/** Far more than the statements that are sent often; each costs memory in every server process. */
const MOST_PREPARED = 500;

/**
 * The names by which one pool prepares its statements.
 *
 * The statements' texts are ours, values are never part of them; but filters and pages of lists combine to thousands,
 * and both this process and each connection's server process keep every name for ever. What comes later is sent
 * unprepared.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();

  /** Undefined: not to be prepared. */
  of(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= MOST_PREPARED) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}
