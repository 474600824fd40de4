import { toUuid } from '../model/ids.ts';

/** Far more than the statements that are sent often; each costs memory in every server process. */
const MOST_KNOWN = 500;

interface KnownStatement {
  /** By which it is prepared; undefined: not to be. */
  readonly name: string | undefined;
  /** The places of its parameters that are UUIDs, or arrays of them. */
  readonly uuids: readonly number[];
}

/**
 * What one pool knows of its statements by their texts.
 *
 * The texts are ours, values are never part of them; but filters, columns and pages of lists combine to thousands, and both this
 * process and each connection's server process keep every name for ever. What comes later is sent unprepared.
 */
export class KnownStatements {
  readonly #known = new Map<string, KnownStatement>();

  of(text: string): KnownStatement {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const uuids = uuidParameters(text);
    if (this.#known.size >= MOST_KNOWN) return { name: undefined, uuids };
    const made = { name: `s${this.#known.size}`, uuids };
    this.#known.set(text, made);
    return made;
  }
}

/**
 * The driver is not told the types of parameters, so the statement has to say them: `$1::uuid` wherever it names one. An
 * id that is bound where a single mention lacks it goes out whole, for PostgreSQL to take as a text or to refuse.
 */
function uuidParameters(text: string): number[] {
  const isUuid = new Map<number, boolean>();
  for (const [, number, cast] of text.matchAll(/\$(\d+)(::uuid\b)?/g)) {
    const place = Number(number) - 1;
    isUuid.set(place, cast !== undefined && (isUuid.get(place) ?? true));
  }
  return [...isUuid].filter(([, is]) => is).map(([place]) => place);
}

/** The values as they are sent: ids without their prefixes where the statement takes UUIDs. */
export function bound({ uuids }: KnownStatement, values: readonly unknown[]): unknown[] {
  const sent = [...values];
  for (const place of uuids) {
    const value = sent[place];
    sent[place] = Array.isArray(value) ? value.map(toUuid) : toUuid(value);
  }
  return sent;
}
