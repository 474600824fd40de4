import { describe, expect, test } from 'vitest';
import { parsePackMetadata, parsePackYamlBytes } from '../../src/packs/archive/pack-yaml.ts';
import { isPackName } from '../../src/packs/pack-name.ts';

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
      capabilities: '{tools: [a, b]}\n',
      suggestedPacks: ['x', 'y'],
    });
  });

  test.each([
    ['capabilites: [a]', 'pack.yaml.capabilites', 'capabilities'],
    ['displayName: Triage!', 'pack.yaml.displayName', 'display_name'],
    ['suggested-packs: [x]', 'pack.yaml.suggested-packs', 'suggested_packs'],
    ['catagory: ops', 'pack.yaml.catagory', 'category'],
  ])('%s is refused as a misspelt key', (line, path, right) => {
    const fields = [{ path, message: expect.stringContaining(`did you mean "${right}"?`) }];
    expect(parsePackMetadata(`${REQUIRED}${line}\n`)).toEqual({ kind: 'invalid', fields });
  });

  test('other unknown keys are allowed, and one like a known key that is there as well', () => {
    const more = 'capability: x\ncategories: [a]\nicon: y\n1: z\ncategory: ops\ncatagory: b\n';
    expect(metadataOf(REQUIRED + more)).toMatchObject({ category: 'ops', capabilities: null });
  });

  test('capabilities as text and suggestions between commas', () => {
    const more = 'capabilities: |\n  tools: [a]\nsuggested_packs: x, y\ncategory: null\n';
    expect(metadataOf(REQUIRED + more)).toMatchObject({
      capabilities: 'tools: [a]\n',
      suggestedPacks: ['x', 'y'],
      category: null,
    });
  });

  test('suggestions by aliases, which may be all that is in the list', () => {
    const more = 'x: &x triage-kit\ny: &y [*x, other]\nsuggested_packs: *y\n';
    expect(metadataOf(REQUIRED + more).suggestedPacks).toEqual(['triage-kit', 'other']);
  });

  test.each(['"<<"', '!!str <<'])('%s is a key like any other', (key) => {
    expect(metadataOf(`${REQUIRED}${key}: {category: ops}\n`).category).toBeNull();
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
    ['deep nesting', '['.repeat(60_000), /nested too deeply/],
    ['billion laughs', laughs(), /nested too deeply/],
    ['more than 64 KiB', `${REQUIRED}#${'x'.repeat(65_536)}`, /larger than 65536/],
  ])('refuses %s as a whole', (_what, text, message) => {
    expect(problemsOf(text)).toEqual([
      { path: 'pack.yaml', message: expect.stringMatching(message) },
    ]);
  });

  test('capabilities nested deeper than anybody reads are said to be that', () => {
    const text = `${REQUIRED}capabilities: {a: ${'{a: '.repeat(1_500)}1${'}'.repeat(1_500)}}`;
    expect(parsePackYamlBytes(Buffer.from(text))).toMatchObject({
      fields: [{ message: expect.stringMatching(/nested/) }],
    });
  });

  test.each<[string, string]>([
    ['45 aliases of a long list', `a: &a [${'a,'.repeat(30_000)}]\nb: [${'*a,'.repeat(45)}]`],
    ['an anchor that holds itself', 'a: &a [*a]'],
    ['mappings without end', `a: ${'{a: '.repeat(15_000)}`],
    ['lists without end', '- '.repeat(32_000)],
  ])('%s are too much for every reader', (_what, text) => {
    expect(problemsOf(text)).toEqual([
      {
        path: 'pack.yaml',
        message: 'is not valid YAML: it is nested too deeply, or its aliases stand for too much',
      },
    ]);
  });

  test.each([
    'x: [,',
    ']',
    '@,',
    '!a ',
    '&a ',
    'a: ',
    '{[',
    '? ',
    '"',
    '\\x',
    '---\n',
    '%a\n',
    '\t',
    '- ',
    '\ufeff',
  ])('64 KiB of %j are one problem, said in a line', (part) => {
    const text = part.repeat(Math.floor(65_536 / Buffer.byteLength(part)));
    const [problem, ...more] = problemsOf(text);
    expect(more).toEqual([]);
    expect(problem?.path).toBe('pack.yaml');
    expect(problem?.message.length).toBeLessThan(300);
    expect(problem?.message).not.toContain('\n');
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

describe('capabilities are what their author wrote, out of their place', () => {
  test.each<[string, string, string]>([
    ['a list', 'capabilities:\n  - a\n  - b\n', '- a\n- b\n'],
    ['a list at the margin', 'capabilities:\n- a\n- b\ncategory: ops\n', '- a\n- b\n'],
    ['a list in brackets', 'capabilities: [a,  b]\n', '[a,  b]\n'],
    ['brackets over lines', 'capabilities: [\n  a, # one\n  b,\n]\n', '[\n  a, # one\n  b,\n]\n'],
    ['brackets on lines of their own', 'capabilities:\n  [a,\n   b]\n', '[a,\n b]\n'],
    ['numbers', 'capabilities:\n  a: 0755\n  b: 3.10\n', 'a: 0755\nb: 3.10\n'],
    ['a long number', 'capabilities: {a: 1234567890123456789}', '{a: 1234567890123456789}\n'],
    ['quotes', 'capabilities:\n  - "NO"\n  - \'yes\'\n', '- "NO"\n- \'yes\'\n'],
    ['nested lists', 'capabilities:\n    - - a\n      - b\n', '- - a\n  - b\n'],
    ['block texts', 'capabilities:\n  - |\n    a\n      b\n\n    c\n', '- |\n  a\n    b\n\n  c\n'],
    ['indented texts', 'capabilities:\n  a: |2\n      b\n', 'a: |2\n    b\n'],
    ['a kept line break', 'capabilities:\n  - |+\n    a\n\n\ncategory: b\n', '- |+\n  a\n\n\n'],
    ['other blank lines', 'capabilities:\n\n  - a\n\n  - b\n\n\nx: y\n', '- a\n\n- b\n'],
    [
      'comments',
      'capabilities: # on\n  # before\n  - a # at\n# between\n  - b\n  # after\n\n# of the next\nx: y\n',
      '# on\n# before\n- a # at\n# between\n- b\n# after\n',
    ],
    ['comments of the next key', 'capabilities:\n- a\n# of x\nx: y\n', '- a\n'],
    ['a comment behind brackets', 'capabilities: [a] # all\n', '[a] # all\n'],
    ['Windows line ends', 'capabilities:\r\n  - a\r\n  - b\r\nx: y\r\n', '- a\r\n- b\r\n'],
    ['tabs', 'capabilities:\t[a,\tb]\t\n', '[a,\tb]\n'],
    ['no last line break', 'capabilities:\n  - a', '- a\n'],
    ['a quoted key', '"capabilities":\n  a: b\n', 'a: b\n'],
    ['an explicit key', '? capabilities\n: - a\n  - b\n', '- a\n- b\n'],
    ['anchors and aliases', 'capabilities: &c\n  - &a x\n  - *a\ny: *c\n', '&c\n- &a x\n- *a\n'],
    ['tags', 'capabilities: !caps\n  - !secret a\n', '!caps\n- !secret a\n'],
    ['a merge key', 'capabilities:\n  a: &a {b: c}\n  <<: *a\n', 'a: &a {b: c}\n<<: *a\n'],
    ['an empty list', 'capabilities: []\n', '[]\n'],
    ['values that are missing', 'capabilities:\n  a:\n  b:\n', 'a:\nb:\n'],
    ['by a merge', '<<: {category: x, capabilities: [a]}\n', '[a]\n'],
    [
      'by a merge from elsewhere',
      'x: &x\n  y: &y\n    capabilities:\n    - 010\n    # of z\n    z: 1\n<<: [*y, *x]\n',
      '- 010\n',
    ],
    ['a text', 'capabilities: >-\n  one\n  line\n', 'one line'],
    ['a text with an indentation', 'capabilities: |2\n    a\n  b\n', '  a\nb\n'],
    ['an alias of a text', 'x: &x some text\ncapabilities: *x\n', 'some text'],
  ])('%s', (_what, yaml, fragment) => {
    expect(
      metadataOf(REQUIRED.replaceAll('\n', yaml.includes('\r') ? '\r\n' : '\n') + yaml),
    ).toMatchObject({ capabilities: fragment });
  });

  test.each([
    '{"name": "a", "version": "1.0.0", "description": "b", "capabilities": {"c": [1.0, 2]}}',
    '{\n  name: a, version: 1.0.0, description: b,\n  capabilities: {"c": [1.0, 2]} # d\n}\n',
  ])('in a mapping between braces: %j', (text) => {
    expect(metadataOf(text).capabilities).toBe('{"c": [1.0, 2]}\n');
  });

  test.each(['', ' ~', ' null', ' # none'])('none: %j', (value) => {
    expect(metadataOf(`${REQUIRED}capabilities:${value}\n`).capabilities).toBeNull();
  });

  test.each<[string, string, RegExp]>([
    ['inside', 'x: &far a\ncapabilities:\n  - *far\n', /\*far refers to something outside/],
    ['as a whole', 'x: &far [a]\ncapabilities: *far\n', /\*far refers to something outside/],
    [
      'by an anchor that comes too late',
      'x: &far a\ncapabilities: [*far, &far b]\n',
      /\*far refers to something outside/,
    ],
    ['that ends a document', 'capabilities:\n  ["a\n  --- b"]\n', /something else outside/],
  ])('what cannot stand by itself is refused: %s', (_what, yaml, message) => {
    expect(problemsOf(yaml + REQUIRED)).toEqual([
      { path: 'pack.yaml.capabilities', message: expect.stringMatching(message) },
    ]);
  });
});

describe('pack.yaml as it is found', () => {
  test.each<[string, string]>([
    ['a start', `---\n${REQUIRED}`],
    ['an end', `${REQUIRED}...\n`],
    ['a start of nothing at the end', `${REQUIRED}---\n`],
    ['a version directive', `%YAML 1.1\n---\n${REQUIRED}`],
    ['Windows line ends', REQUIRED.replaceAll('\n', '\r\n')],
    ['trailing blanks', REQUIRED.replaceAll('\n', '  \n')],
    ['braces', '{name: triage, version: 1.0.0, description: Triage.}'],
    [
      'a merge',
      `base: &base {name: other, version: 1.0.0}\n<<: *base\nname: triage\ndescription: Triage.\n`,
    ],
    [
      'a merge as yq writes it',
      'base: &base {name: other, version: 1.0.0}\n!!merge <<: *base\nname: triage\ndescription: Triage.\n',
    ],
    ['several merges', `<<: [{name: triage}, {name: b, version: 1.0.0}]\ndescription: Triage.\n`],
    ['aliases', `x: &x Triage.\n${REQUIRED.replace('Triage.', '*x')}`],
  ])('%s', (_what, text) => {
    expect(metadataOf(text)).toMatchObject({
      name: 'triage',
      version: '1.0.0',
      description: 'Triage.',
    });
  });

  test.each<[string, string, RegExp]>([
    ['a merge of no mapping', `<<: 5\n${REQUIRED}`, /merge key <</],
    ['a merge with its tag of no mapping', `!!merge <<: 5\n${REQUIRED}`, /merge key <</],
    [
      'two merge keys, one with its tag',
      `<<: {a: b}\n!!merge <<: {c: d}\n${REQUIRED}`,
      /"<<" is not/,
    ],
    ['a key repeated by an alias', `x: &n name\n*n : other\n${REQUIRED}`, /"name" is not unique/],
    [
      'a key repeated by an alias further in',
      `x: &n name\ncapabilities: {name: a, *n : b}\n${REQUIRED}`,
      /"name" is not unique/,
    ],
    ['two merge keys', `<<: {a: b}\n<<: {c: d}\n${REQUIRED}`, /"<<" is not unique/],
    ['a version of YAML to come', `%YAML 1.3\n---\n${REQUIRED}`, /YAML version 1\.3/],
    ['a second document', `${REQUIRED}...\n---\na: b\n`, /one document/],
  ])('refuses %s', (_what, text, message) => {
    expect(problemsOf(text)).toEqual([
      { path: 'pack.yaml', message: expect.stringMatching(message) },
    ]);
  });
});

function laughs(): string {
  const lines = ['a0: &a0 [lol, lol]'];
  for (let level = 1; level < 20; level += 1) {
    lines.push(`a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]`);
  }
  return lines.join('\n');
}
