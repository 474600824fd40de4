import { parse as parseVersion } from 'semver';
import { isCollection } from 'yaml';
import { invalid } from '../../field-problem.ts';
import { LARGEST_PACK_YAML, type PackMetadataOutcome } from '../pack-metadata.ts';
import { isPackName, PACK_NAME_RULE } from '../pack-name.ts';
import { misspeltKeys } from './misspelt-keys.ts';
import { isWholeYaml, readYamlMapping, type YamlEntry } from './yaml-document.ts';
import { YamlFields } from './yaml-fields.ts';
import { cutFragment, outsideAlias } from './yaml-fragment.ts';
import { TOO_NESTED, YamlRefused } from './yaml-refused.ts';

const OPTIONAL_KEYS = ['display_name', 'category', 'capabilities', 'suggested_packs'];
/** In characters: what is shown in a line or a paragraph, and for the version what an OCI tag holds. */
const LONGEST = { name: 63, version: 128, description: 4096, displayName: 128, category: 64 };
const MOST_SUGGESTED_PACKS = 100;

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
 * Unknown keys are allowed, so that a pack made for a later version of the platform can still be uploaded; but not what
 * looks like a known one misspelt, whose value would be lost in silence.
 */
export function parsePackMetadata(text: string): PackMetadataOutcome {
  if (Buffer.byteLength(text) > LARGEST_PACK_YAML) {
    return invalid('pack.yaml', `is larger than ${LARGEST_PACK_YAML} bytes`);
  }
  const entries = readMapping(text);
  if (typeof entries === 'string') return invalid('pack.yaml', entries);

  const fields = new YamlFields(entries);
  const name = fields.required('name', { longest: LONGEST.name });
  if (name !== null && !isPackName(name)) fields.problem('name', PACK_NAME_RULE);
  const version = fields.required('version', { longest: LONGEST.version });
  if (version !== null && !isExactVersion(version)) {
    fields.problem('version', 'must be a semantic version such as 1.4.0, without a leading "v"');
  }
  const description = fields.required('description', { longest: LONGEST.description, lines: true });
  const displayName = fields.optional('display_name', { longest: LONGEST.displayName });
  const category = fields.optional('category', { longest: LONGEST.category });
  const capabilities = readCapabilities(fields, text, entries.get('capabilities'));
  const suggestedPacks = readSuggestedPacks(fields);
  fields.problems.push(...misspeltKeys(new Set(entries.keys()), OPTIONAL_KEYS));

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
function readMapping(text: string): ReadonlyMap<unknown, YamlEntry> | string {
  try {
    return readYamlMapping(text, 'capabilities');
  } catch (error) {
    if (error instanceof YamlRefused) return error.message;
    // Nested deeper than the parser's stack.
    if (error instanceof RangeError) return TOO_NESTED;
    throw error;
  }
}

/** Exactly as semver 2.0.0 writes it; the package itself also accepts `v1.0.0` and blanks around it. */
function isExactVersion(text: string): boolean {
  const version = parseVersion(text);
  if (version === null) return false;
  const build = version.build.length === 0 ? '' : `+${version.build.join('.')}`;
  return text === version.version + build;
}

/** A caps.yaml fragment is a list, a mapping or a text; of the first two it is what its author wrote. */
function readCapabilities(
  fields: YamlFields,
  text: string,
  entry: YamlEntry | undefined,
): string | null {
  if (entry === undefined || !isCollection(entry.node)) {
    return fields.optional('capabilities', { longest: LARGEST_PACK_YAML, lines: true });
  }
  const outside = entry.alias ?? outsideAlias(entry.node);
  if (outside !== null) {
    const message = `must stand by itself: the alias *${outside.slice(0, 100)} refers to something outside of it`;
    fields.problem('capabilities', message);
    return null;
  }
  const fragment = cutFragment(text, entry);
  if (isWholeYaml(fragment)) return fields.storable('capabilities', fragment);
  fields.problem('capabilities', 'means something else outside of its place in pack.yaml');
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
