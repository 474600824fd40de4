import { describe, expect, test } from 'vitest';
import {
  isPackName,
  parsePackMetadata,
  parsePackYamlBytes,
} from '../../src/packs/archive/pack-yaml.ts';

const REQUIRED = 'name: triage\nversion: 1.0.0\ndescription: Triage.\n';

function metadataOf(text: string) {
  const outcome = parsePackMetadata(text);
  if (outcome.kind === 'invalid') throw new Error(JSON.stringify(outcome.fields));
  return outcome.metadata;
}

function problemsOf(text: string) {
  const outcome = parsePackMetadata(text);
  return outcome.kind === 'invalid' ? outcome.fields : [];
}

describe('pack.yaml', () => {
  test('the required fields alone', () => {
    expect(metadataOf(REQUIRED)).toEqual({
      name: 'triage',
      version: '1.0.0',
      displayName: 'triage',
      description: 'Triage.',
      category: null,
      capabilities: null,
      suggestedPacks: [],
    });
  });

  test('every field, capabilities as a mapping and suggestions as a list', () => {
    const more =
      'display_name: Triage!\ncategory: ops\ncapabilities: {tools: [a, b]}\nsuggested_packs: [x, y, x]\nlater: ignored\n';
    expect(metadataOf(REQUIRED + more)).toMatchObject({
      displayName: 'Triage!',
      category: 'ops',
      capabilities: 'tools:\n  - a\n  - b\n',
      suggestedPacks: ['x', 'y'],
    });
  });

  test('capabilities as text and suggestions between commas', () => {
    const more = 'capabilities: |\n  tools: [a]\nsuggested_packs: x, y\ncategory: null\n';
    expect(metadataOf(REQUIRED + more)).toMatchObject({
      capabilities: 'tools: [a]\n',
      suggestedPacks: ['x', 'y'],
      category: null,
    });
  });

  test.each(['1.0.0-rc.1', '0.0.1', '10.20.30+build.5'])('version %s', (version) => {
    expect(metadataOf(REQUIRED.replace('1.0.0', version)).version).toBe(version);
  });

  test.each(['v1.0.0', '=1.0.0', '1.0', '01.0.0', '1.0.0.0', 'latest', '" 1.0.0"', '1.0.0-'])(
    'refuses version %s',
    (version) => {
      expect(problemsOf(REQUIRED.replace('1.0.0', version))).toEqual([
        { path: 'pack.yaml.version', message: expect.any(String) },
      ]);
    },
  );

  test.each(['A', 'a_b', '-a', 'a-', 'a.b', 'a'.repeat(64), 'ä', 'a/b'])(
    'refuses name %s',
    (name) => {
      expect(isPackName(name)).toBe(false);
      expect(problemsOf(REQUIRED.replace('triage', name))[0]?.path).toBe('pack.yaml.name');
    },
  );

  test.each<[string, string, string, RegExp]>([
    ['a number as a version', REQUIRED.replace('1.0.0', '1.0'), 'version', /in quotes/],
    ['no description', 'name: a\nversion: 1.0.0\n', 'description', /required/],
    ['an empty description', REQUIRED.replace('Triage.', '"  "'), 'description', /empty/],
    ['a long description', REQUIRED.replace('Triage.', 'x'.repeat(4097)), 'description', /4096/],
    ['a list as category', `${REQUIRED}category: [a]`, 'category', /must be text/],
    ['two lines of display name', `${REQUIRED}display_name: "a\\nb"`, 'display_name', /one line/],
    ['NUL', REQUIRED.replace('Triage.', '"a\\0b"'), 'description', /NUL/],
    [
      'half a surrogate pair',
      REQUIRED.replace('Triage.', '"a\\ud800b"'),
      'description',
      /surrogate/,
    ],
    ['NUL in capabilities', `${REQUIRED}capabilities: "a\\0b"`, 'capabilities', /NUL/],
    ['a number as capabilities', `${REQUIRED}capabilities: 5`, 'capabilities', /must be text/],
    ['a bad suggestion', `${REQUIRED}suggested_packs: [a, B]`, 'suggested_packs[1]', /dashes/],
    ['suggestions as a mapping', `${REQUIRED}suggested_packs: {a: b}`, 'suggested_packs', /list/],
    [
      'many suggestions',
      `${REQUIRED}suggested_packs: [${'a,'.repeat(101)}]`,
      'suggested_packs',
      /100/,
    ],
  ])('refuses %s', (_what, text, key, message) => {
    expect(problemsOf(text)).toEqual([
      { path: `pack.yaml.${key}`, message: expect.stringMatching(message) },
    ]);
  });

  test.each<[string, string, RegExp]>([
    ['nothing', '', /mapping/],
    ['a list', '- a', /mapping/],
    ['a repeated key', `${REQUIRED}name: other`, /"name" is not unique/],
    [
      'a repeated key further in',
      `${REQUIRED}capabilities: {a: {b: 1, "b": 2}}`,
      /"b" is not unique/,
    ],
    ['broken YAML', 'name: [', /not valid YAML/],
    ['an unknown tag', 'name: !!js/function "x"', /not valid YAML/],
    ['two documents', `${REQUIRED}---\n${REQUIRED}`, /not valid YAML/],
    ['an alias without its anchor', 'name: *nowhere', /not valid YAML/],
    ['deep nesting', '['.repeat(60_000), /nested or aliased/],
    ['billion laughs', laughs(), /nested or aliased/],
    ['more than 64 KiB', `${REQUIRED}#${'x'.repeat(65_536)}`, /larger than 65536/],
  ])('refuses %s as a whole', (_what, text, message) => {
    expect(problemsOf(text)).toEqual([
      { path: 'pack.yaml', message: expect.stringMatching(message) },
    ]);
  });

  test('capabilities nested deeper than they can be written out are said to be that', () => {
    const text = `${REQUIRED}capabilities: {a: ${'{a: '.repeat(1_500)}1${'}'.repeat(1_500)}}`;
    expect(parsePackYamlBytes(Buffer.from(text))).toMatchObject({
      fields: [{ message: expect.stringMatching(/nested/) }],
    });
  });

  test('an answer quotes no more than one line', () => {
    expect(problemsOf('name: [\nsecret: {{')[0]?.message).not.toContain('\n');
  });

  test('bytes that are not UTF-8, and a byte order mark', () => {
    expect(parsePackYamlBytes(Buffer.from([0x6e, 0xff]))).toMatchObject({
      fields: [{ message: 'is not UTF-8 text' }],
    });
    expect(parsePackYamlBytes(Buffer.from(`\ufeff${REQUIRED}`)).kind).toBe('valid');
  });

  test('a key named __proto__ changes nothing', () => {
    expect(metadataOf(`${REQUIRED}__proto__: {category: x}`).category).toBeNull();
  });
});

function laughs(): string {
  const lines = ['a0: &a0 [lol, lol]'];
  for (let level = 1; level < 20; level += 1) {
    lines.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]`);
  }
  return lines.join('\n');
}
