import {
  type Alias,
  Composer,
  type CST,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  Parser,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { keyOf, MERGE, measureYaml } from './yaml-measure.ts';
import { TOO_NESTED, YamlRefused } from './yaml-refused.ts';

/** One key of a mapping: its value's node, and the source tokens that both came from. */
export interface YamlEntry {
  /** Never an alias, but what it stands for. */
  readonly node: unknown;
  /** Those of a list, likewise. */
  readonly items: readonly unknown[] | null;
  /** The name of the alias that it was reached by. */
  readonly alias: string | null;
  readonly tokens: CST.CollectionItem | undefined;
  /** Whether it stands between braces. */
  readonly inFlow: boolean;
}

/** What the specification forbids and other parsers read: a closing bracket at the left margin. */
const HARMLESS = 'BAD_INDENT';
const UNKNOWN_TAG = 'TAG_RESOLVE_FAILED';
const LONGEST_MESSAGE = 200;
const NO_MAPPING = 'must be a YAML mapping with name, version and description';

/**
 * Reads the one mapping that a YAML text holds, with what `<<` brings along; throws `YamlRefused`.
 * @param opaque the key under which a list or mapping may have tags that nobody here knows
 */
export function readYamlMapping(text: string, opaque: string): ReadonlyMap<unknown, YamlEntry> {
  const document = onlyDocument(text);
  const { contents, errors, warnings } = document;
  if (errors[0] !== undefined) throw invalid(text, errors[0]);
  const targets = measureYaml(contents);
  const entries = new Map<unknown, YamlEntry>();
  if (isMap(contents)) addEntries(contents, entries, targets);
  const kept = entries.get(opaque);
  for (const warning of warnings) {
    const isKept = warning.code === UNKNOWN_TAG && isCollection(kept?.node) && isIn(warning, kept);
    if (warning.code !== HARMLESS && !isKept) throw invalid(text, warning);
  }
  if (isMap(contents)) return entries;
  throw new YamlRefused(NO_MAPPING);
}

/** Whether a text is YAML by itself. */
export function isWholeYaml(text: string): boolean {
  return composed(text).every(({ errors }) => errors.length === 0);
}

function onlyDocument(text: string): Document {
  // A `---` at the end opens a document that holds nothing.
  const [first, ...more] = composed(text).filter((one, at) => at === 0 || !isEmpty(one));
  if (more.length > 0)
    throw new YamlRefused(
      'is not valid YAML for a pack: it must hold one document, and holds several',
    );
  if (first === undefined) throw new YamlRefused(NO_MAPPING);
  return first;
}

function composed(text: string): Document[] {
  const documents: Document[] = [];
  const options = { schema: 'core', uniqueKeys: false, keepSourceTokens: true };
  for (const document of new Composer(options).compose(new Parser().parse(text))) {
    documents.push(document);
    if (documents.length > 2) break;
  }
  return documents;
}

const isEmpty = ({ contents, errors }: Document): boolean =>
  errors.length === 0 &&
  (contents === null || (isScalar(contents) && contents.value === null && contents.source === ''));

function addEntries(
  mapping: YAMLMap,
  entries: Map<unknown, YamlEntry>,
  targets: ReadonlyMap<Alias, unknown>,
): void {
  const resolved = (node: unknown): unknown => (isAlias(node) ? targets.get(node) : node);
  const merged: unknown[] = [];
  for (const { key, value, srcToken } of mapping.items) {
    const known = keyOf(key, targets);
    if (known === MERGE) {
      merged.push(value);
      continue;
    }
    const node = resolved(value);
    const entry: YamlEntry = {
      node,
      items: isSeq(node) ? node.items.map(resolved) : null,
      alias: isAlias(value) ? value.source : null,
      tokens: srcToken,
      inFlow: mapping.flow === true,
    };
    // What stands there itself wins over what is merged, and of several the first.
    if (!entries.has(known)) entries.set(known, entry);
  }
  for (const source of merged.map(resolved)) {
    for (const one of isSeq(source) ? source.items.map(resolved) : [source]) {
      if (!isMap(one)) {
        throw new YamlRefused(
          'has a merge key << whose value is neither a mapping nor a list of them',
        );
      }
      addEntries(one, entries, targets);
    }
  }
}

function isIn({ pos }: YAMLError, { tokens, node }: YamlEntry): boolean {
  const start = tokens?.sep?.[0]?.offset;
  const end = isCollection(node) ? node.range?.[2] : undefined;
  return start !== undefined && end != null && pos[0] >= start && pos[0] < end;
}

function invalid(text: string, { code, message, pos }: YAMLError): YamlRefused {
  if (code === 'RESOURCE_EXHAUSTION') return new YamlRefused(TOO_NESTED);
  const before = text.slice(0, pos[0]).split('\n');
  const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
  // The rest quotes the document.
  const [reason = ''] = message.slice(0, LONGEST_MESSAGE).split('\n');
  return new YamlRefused(`is not valid YAML: ${reason} at ${place}`);
}
