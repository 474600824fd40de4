import type { Draft } from './draft.ts';
import type { Document, Entry } from './index-document.ts';

/** Enough that few pieces make up the whole, few enough that one is soon written. */
const PAGE = 256;

interface Page {
  readonly entries: Set<Entry>;
  /** Its entries as JSON, without a bracket; undefined until it is asked for. */
  text?: Buffer | undefined;
}

/** The text of `index.json`, by the page: a change writes out anew only the entries that stand beside it. */
export class IndexText {
  #pages: Page[] = [];
  readonly #head: Buffer;
  readonly #foreign: Buffer;

  constructor({ manifests, foreign, rest }: Document) {
    this.#head = Buffer.from(`${JSON.stringify(rest).slice(0, -1)},"manifests":[`);
    this.#foreign = jsonOf(foreign);
    this.#append(manifests);
  }

  *entries(): Generator<Entry> {
    for (const { entries } of this.#pages) yield* entries;
  }

  /** In pieces: one buffer for all of it would cost more than the change. */
  after({ removed, added }: Draft): Buffer[] {
    const parts = this.#pages.map((page) => {
      if (isPartOf(page, removed)) return jsonOf([...page.entries].filter((e) => !removed.has(e)));
      page.text ??= jsonOf([...page.entries]);
      return page.text;
    });
    parts.push(jsonOf([...added]), this.#foreign);
    const pieces = parts.flatMap((part) => (part.length > 0 ? [COMMA, part] : []));
    return [this.#head, ...pieces.slice(1), TAIL];
  }

  apply({ removed, added }: Draft): void {
    for (const page of this.#pages) {
      if (!isPartOf(page, removed)) continue;
      for (const entry of removed) page.entries.delete(entry);
      page.text = undefined;
    }
    this.#pages = this.#pages.filter(({ entries }) => entries.size > 0);
    this.#append(added);
  }

  #append(entries: Iterable<Entry>): void {
    for (const entry of entries) {
      let last = this.#pages.at(-1);
      if (last === undefined || last.entries.size >= PAGE) {
        last = { entries: new Set() };
        this.#pages.push(last);
      }
      last.entries.add(entry);
      last.text = undefined;
    }
  }
}

const COMMA = Buffer.from(',');
const TAIL = Buffer.from(']}');

const isPartOf = ({ entries }: Page, removed: ReadonlySet<Entry>): boolean =>
  [...removed].some((entry) => entries.has(entry));

const jsonOf = (values: readonly unknown[]): Buffer =>
  Buffer.from(JSON.stringify(values).slice(1, -1));
