import { type Alias, isAlias, isMap, isNode, isPair, isScalar, isSeq, type YAMLMap } from 'yaml';
import { TOO_NESTED, YamlRefused } from './yaml-refused.ts';

/** Values that a reader who follows every alias would see: what fits into a file of this size without aliases. */
const MOST_VALUES = 40_000;
const DEEPEST = 100;

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
    if (isMap(node)) refuseRepeatedKey(node);
    let values = 1;
    if (isMap(node) || isSeq(node)) {
      for (const item of node.items) values += measure(item, depth + 1);
    }
    if (values > MOST_VALUES) throw new YamlRefused(TOO_NESTED);
    anchored.values = values;
    return values;
  };

  measure(root, 0);
  return targets;
}

/** The parser's own check compares every key with every other: a second at 64 KiB of short keys. */
function refuseRepeatedKey(mapping: YAMLMap): void {
  const seen = new Set<unknown>();
  for (const { key } of mapping.items) {
    const value: unknown = isScalar(key) ? key.value : key;
    if (seen.has(value)) {
      const shown = JSON.stringify(String(value).slice(0, 100));
      throw new YamlRefused(`is not valid YAML: the key ${shown} is not unique`);
    }
    seen.add(value);
  }
}
