import {
  type Alias,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  Scalar,
  type YAMLMap,
} from 'yaml';
import { TOO_NESTED, YamlRefused } from './yaml-refused.ts';

/** Values that a reader who follows every alias would see: what fits into a file of this size without aliases. */
const MOST_VALUES = 40_000;
const DEEPEST = 100;

/** What `keyOf` makes of a merge key. */
export const MERGE = Symbol('<<');
/** Of a merge key as go-yaml and what is written with it, such as yq, spell it: `!!merge <<`. */
const MERGE_TAG = 'tag:yaml.org,2002:merge';

interface Anchored {
  readonly node: unknown;
  /** Null until its end: an alias before that is inside itself. */
  values: number | null;
}

/** Bounds what is in a YAML node, aliases followed without expanding them, and tells what each alias stands for. */
export function measureYaml(root: unknown): ReadonlyMap<Alias, unknown> {
  const targets = new Map<Alias, unknown>();
  const anchors = new Map<string, Anchored>();

  const follow = (alias: Alias): number => {
    const target = anchors.get(alias.source);
    if (target === undefined) {
      throw new YamlRefused(
        `is not valid YAML: nothing before the alias *${alias.source.slice(0, 100)} has that anchor`,
      );
    }
    if (target.values === null) throw new YamlRefused(TOO_NESTED);
    targets.set(alias, target.node);
    return target.values;
  };

  const measure = (node: unknown, depth: number): number => {
    if (depth > DEEPEST) throw new YamlRefused(TOO_NESTED);
    if (isAlias(node)) return follow(node);
    if (isPair(node)) return measure(node.key, depth) + measure(node.value, depth);
    const anchored: Anchored = { node, values: null };
    if (isNode(node) && node.anchor !== undefined) anchors.set(node.anchor, anchored);
    let values = 1;
    if (isMap(node) || isSeq(node)) {
      for (const item of node.items) values += measure(item, depth + 1);
    }
    if (isMap(node)) refuseRepeatedKey(node, targets);
    if (values > MOST_VALUES) throw new YamlRefused(TOO_NESTED);
    anchored.values = values;
    return values;
  };

  measure(root, 0);
  return targets;
}

/** What a key of a mapping is told apart by: a scalar's value, `MERGE`, or the node of what is neither. */
export function keyOf(key: unknown, targets: ReadonlyMap<Alias, unknown>): unknown {
  const node = isAlias(key) ? targets.get(key) : key;
  if (!isScalar(node)) return node;
  const { tag, type, value } = node;
  const isMerge = tag === undefined ? value === '<<' && type === Scalar.PLAIN : tag === MERGE_TAG;
  return isMerge ? MERGE : value;
}

/** The parser's own check compares every key with every other: a second at 64 KiB of short keys. */
function refuseRepeatedKey({ items }: YAMLMap, targets: ReadonlyMap<Alias, unknown>): void {
  const seen = new Set<unknown>();
  for (const { key } of items) {
    const known = keyOf(key, targets);
    if (seen.has(known)) {
      const shown = JSON.stringify(known === MERGE ? '<<' : String(known).slice(0, 100));
      throw new YamlRefused(`is not valid YAML: the key ${shown} is not unique`);
    }
    seen.add(known);
  }
}
