/** A literal is a value, whatever it looks like: it is answered the same each time, and never run. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';

/** More often than anything that is kept of an operation needs to be asked for. */
const TIMES = 4;

const UUID = '33a9e76d_02e0_4128_8e92_3530ad3da74d';
const markers = ['DATE', 'NAN', 'PLUS_INFINITY', 'MINUS_INFINITY'].map(
  (name) => `__MAGIC_${name}__${UUID}`,
);

const texts = (code: string): readonly string[] => [
  ...markers.flatMap((marker) => [marker, `${marker}${code}`, `${marker}"+${code}+"`]),
  `"; ${code}; "`,
  `'; ${code}; '`,
  `\`; ${code}; \``,
  `\${${code}}`,
  `*/ ${code} /*`,
  `\u2028${code}\u2029`,
  `\\"); ${code}; (\\"`,
  'constructor',
  '__proto__',
  'toString',
];

test('every kind of literal is answered the same each time, and makes no file', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'literals-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const gateway = await startGateway({ database: 'postgres' });
  const file = join(directory, 'written');
  const code = `process.getBuiltinModule('fs').writeFileSync('${file}','')`;
  const strings = texts(code).map((text) => JSON.stringify(text));
  const documents = [
    ...strings.flatMap((text) => [
      `{ pack(id: ${text}) { id } }`,
      `query ($id: ID! = ${text}) { node(id: $id) { id } }`,
      `{ packs(filter: { nameContains: ${text}, category: ${text} }) { totalCount nodes { id } } }`,
      `{ _entities(representations: [{ __typename: "Pack", id: ${text}, x: { y: [${text}] } }]) { __typename } }`,
      `{ packs(filter: { tier: ${text} }) { nodes { id } } }`,
      `{ viewer { userId @include(if: true) } packByIdOf: pack(id: ${text}) { id } }`,
    ]),
    `{ pack(id: """block "text" ${code} \\""" \${${code}}""") { id } }`,
    '{ packs(first: 99999999999999999999) { nodes { id } } }',
    '{ packs(first: 1e400) { nodes { id } } }',
    '{ packs(filter: { tier: constructor }) { nodes { id } } }',
    '{ packs(filter: { __proto__: true }) { nodes { id } } }',
    '{ constructor { id } }',
    '{ constructor: viewer { toString: userId hasOwnProperty: __typename } }',
    'query constructor($toString: ID! = "x") { pack(id: $toString) { id } }',
  ];
  for (const query of documents) {
    const answers = new Set<string>();
    for (let time = 0; time < TIMES; time++) {
      const text = JSON.stringify(await gateway.graphql(query));
      answers.add(text.replaceAll(/"requestId":"[^"]*"/g, ''));
    }
    expect([query, answers.size]).toEqual([query, 1]);
  }
  expect(existsSync(file)).toBe(false);
  expect(readdirSync(directory)).toEqual([]);
});
