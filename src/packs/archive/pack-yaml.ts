import { parse as parseVersion } from 'semver';
import { type Document, isScalar, parseDocument, stringify, visit } from 'yaml';
import type { FieldProblem } from '../../field-problem.ts';
import type { PackMetadata } from '../pack-metadata.ts';
import { YamlFields } from './yaml-fields.ts';

export type PackMetadataOutcome =
  | { readonly kind: 'valid'; readonly metadata: PackMetadata }
  | { readonly kind: 'invalid'; readonly fields: readonly FieldProblem[] };

/** Bytes; a pack.yaml is a page of text, and YAML takes time that grows faster than its length. */
export const LARGEST_PACK_YAML = 64 * 1024;

const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** What is wrong with a name that is none. */
export const PACK_NAME_RULE =
  'must be 1 to 63 lower-case letters, digits and dashes, with no dash at either end';
const MOST_SUGGESTED_PACKS = 100;
/** Aliases that repeat each other multiply ("billion laughs"); a real pack.yaml has a handful. */
const MOST_ALIASES = 50;

const BEYOND_MEASURE = 'is not valid YAML: it is nested or aliased beyond measure';

/** Whether a name may be a pack's, by the contract's slug rule. */
export const isPackName = (name: string): boolean => SLUG.test(name);

/** `parsePackMetadata` for the bytes of a file. */
export function parsePackYamlBytes(bytes: Uint8Array): PackMetadataOutcome {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return invalid('pack.yaml', 'is not UTF-8 text');
  }
  return parsePackMetadata(text);
}

/**
 * Reads pack.yaml, listing every problem at once.
 *
 * Longest values, in characters: description 4096, display_name 128, version 128 (what an OCI tag holds),
 * category 64, capabilities 65536; 100 suggested packs. Unknown keys are let pass, so that a pack made for a later
 * version of the platform can still be uploaded.
 */
export function parsePackMetadata(text: string): PackMetadataOutcome {
  if (Buffer.byteLength(text) > LARGEST_PACK_YAML) {
    return invalid('pack.yaml', `is larger than ${LARGEST_PACK_YAML} bytes`);
  }
  const document = readMapping(text);
  if (typeof document === 'string') return invalid('pack.yaml', document);

  const fields = new YamlFields(document);
  const name = fields.required('name', { longest: 63 });
  if (name !== null && !isPackName(name)) fields.problem('name', PACK_NAME_RULE);
  const version = fields.required('version', { longest: 128 });
  if (version !== null && !isExactVersion(version)) {
    fields.problem('version', 'must be a semantic version such as 1.4.0, without a leading "v"');
  }
  const description = fields.required('description', { longest: 4096, lines: true });
  const displayName = fields.optional('display_name', { longest: 128 });
  const category = fields.optional('category', { longest: 64 });
  const capabilities = readCapabilities(fields);
  const suggestedPacks = readSuggestedPacks(fields);

  if (fields.problems.length > 0 || name === null || version === null || description === null) {
    return { kind: 'invalid', fields: fields.problems };
  }
  return {
    kind: 'valid',
    metadata: {
      name,
      version,
      displayName: displayName ?? name,
      description,
      category,
      capabilities,
      suggestedPacks,
    },
  };
}

/** The top-level mapping, or what is wrong with the document. */
function readMapping(text: string): ReadonlyMap<unknown, unknown> | string {
  try {
    const document = parseDocument(text, { schema: 'core', uniqueKeys: false });
    // Warnings are tags that nobody resolves (`!!js/function`): a value that is not what it says.
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem?.code === 'RESOURCE_EXHAUSTION') return BEYOND_MEASURE;
    // The lines after the first quote the document.
    if (problem !== undefined) return `is not valid YAML: ${problem.message.split('\n')[0]}`;
    const repeated = repeatedKey(document);
    if (repeated !== null) return `is not valid YAML: the key ${repeated} is not unique`;
    const value: unknown = document.toJS({ mapAsMap: true, maxAliasCount: MOST_ALIASES });
    return value instanceof Map
      ? value
      : 'must be a YAML mapping with name, version and description';
  } catch {
    // Too many aliases, or nested deeper than the parser's stack.
    return BEYOND_MEASURE;
  }
}

/**
 * The first key that a mapping has twice, quoted. The parser's own check compares every key with every other,
 * which stops the process for a second at 64 KiB of short keys.
 */
function repeatedKey(document: Document.Parsed): string | null {
  let repeated: string | null = null;
  visit(document, {
    Map(_key, mapping) {
      const seen = new Set<unknown>();
      for (const { key } of mapping.items) {
        const value: unknown = isScalar(key) ? key.value : key;
        if (seen.has(value)) {
          repeated = JSON.stringify(String(value).slice(0, 100));
          return visit.BREAK;
        }
        seen.add(value);
      }
      return undefined;
    },
  });
  return repeated;
}

/** Exactly as semver 2.0.0 writes it; the package itself also accepts `v1.0.0` and blanks around it. */
function isExactVersion(text: string): boolean {
  const version = parseVersion(text);
  if (version === null) return false;
  const build = version.build.length === 0 ? '' : `+${version.build.join('.')}`;
  return text === version.version + build;
}

/** A caps.yaml fragment may stand in pack.yaml as text or as a mapping; it is kept as text. */
function readCapabilities(fields: YamlFields): string | null {
  const value = fields.value('capabilities');
  if (!(value instanceof Map)) {
    return fields.optional('capabilities', { longest: LARGEST_PACK_YAML, lines: true });
  }
  let text: string;
  try {
    // Written out again, NUL and half surrogate pairs are escapes, so the text can be stored.
    text = stringify(value, { aliasDuplicateObjects: false });
  } catch {
    // The writer's stack ends before the parser's.
    fields.problem('capabilities', 'is nested beyond measure');
    return null;
  }
  if (text.length <= LARGEST_PACK_YAML) return text;
  fields.problem('capabilities', `must not be longer than ${LARGEST_PACK_YAML} characters`);
  return null;
}

/** A list of pack names, or one string with commas between them; repeated names count once. */
function readSuggestedPacks(fields: YamlFields): string[] {
  const value = fields.value('suggested_packs');
  if (value === undefined || value === null) return [];
  const items: readonly unknown[] | null =
    typeof value === 'string'
      ? value.split(',').map((item) => item.trim())
      : Array.isArray(value)
        ? value
        : null;
  if (items === null) {
    fields.problem('suggested_packs', 'must be a list of pack names');
    return [];
  }
  if (items.length > MOST_SUGGESTED_PACKS) {
    fields.problem('suggested_packs', `must not have more than ${MOST_SUGGESTED_PACKS} names`);
    return [];
  }
  const names = new Set<string>();
  for (const [at, item] of items.entries()) {
    if (typeof item === 'string' && isPackName(item)) names.add(item);
    else fields.problem(`suggested_packs[${at}]`, PACK_NAME_RULE);
  }
  return [...names];
}

const invalid = (path: string, message: string): PackMetadataOutcome => ({
  kind: 'invalid',
  fields: [{ path, message }],
});
