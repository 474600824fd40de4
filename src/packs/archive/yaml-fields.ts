import { isScalar } from 'yaml';
import type { FieldProblem } from '../../field-problem.ts';
import type { YamlEntry } from './yaml-document.ts';

interface TextRule {
  readonly longest: number;
  /** Whether the text may have several lines. */
  readonly lines?: true;
}

/** Takes text out of a YAML mapping key by key and collects what is wrong with it. */
export class YamlFields {
  readonly problems: FieldProblem[] = [];
  readonly #entries: ReadonlyMap<unknown, YamlEntry>;

  constructor(entries: ReadonlyMap<unknown, YamlEntry>) {
    this.#entries = entries;
  }

  /** A scalar's value, the values of a list, or the node of what is neither. */
  value(key: string): unknown {
    const { node, items = null } = this.#entries.get(key) ?? {};
    if (items !== null) return items.map((item) => (isScalar(item) ? item.value : item));
    return isScalar(node) ? node.value : node;
  }

  problem(key: string, message: string): void {
    this.problems.push({ path: `pack.yaml.${key}`, message });
  }

  /** The text under `key`; null after noting the problem that it is missing or bad. */
  required(key: string, rule: TextRule): string | null {
    const value = this.value(key);
    if (value === undefined || value === null) {
      this.problem(key, 'is required');
      return null;
    }
    return this.optional(key, rule);
  }

  /** The text under `key`, or null when there is none or it is bad; only the latter is a problem. */
  optional(key: string, rule: TextRule): string | null {
    const value = this.value(key);
    if (value === undefined || value === null) return null;
    if (typeof value !== 'string') {
      const quote = typeof value === 'object' ? '' : '; put it in quotes';
      this.problem(key, `must be text${quote}`);
      return null;
    }
    if (value.trim() === '') {
      this.problem(key, 'must not be empty');
      return null;
    }
    if (value.length > rule.longest) {
      this.problem(key, `must not be longer than ${rule.longest} characters`);
      return null;
    }
    if (rule.lines === undefined && /\p{Cc}/u.test(value)) {
      this.problem(key, 'must be one line without control characters');
      return null;
    }
    return this.storable(key, value);
  }

  /** PostgreSQL's text type holds neither NUL nor half a surrogate pair; null after noting the problem. */
  storable(key: string, text: string): string | null {
    if (!text.includes('\0') && text.isWellFormed()) return text;
    this.problem(key, 'must not contain NUL or half a surrogate pair');
    return null;
  }
}
