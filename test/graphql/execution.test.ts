/** The planned executor against GraphQL's own: for whatever is asked, of whatever data, the answers are the same. */
import {
  buildSchema,
  type DocumentNode,
  type ExecutionArgs,
  execute,
  GraphQLError,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  getOperationAST,
  isObjectType,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { describe, expect, test } from 'vitest';
import { createExecutor } from '../../src/graphql/execution/execute.ts';
import type { SelectionPlan } from '../../src/graphql/execution/plan.ts';
import { createPlanner } from '../../src/graphql/execution/planner.ts';
import { type Random, randomFrom } from '../chaos/random.ts';
import { isSweep } from '../support/extent.ts';

const schema = buildSchema(`
  interface Named { name: String }
  type Cat implements Named { name: String lives: Int! owner: Person friends: [Named] grid: [[Int!]] tags: [String!]! }
  type Person implements Named { name: String age: Int! pets(first: Int = 2, kind: Kind): [Pet!] best: Pet! boss: Person! echo(text: String, list: [Int], where: Where): String }
  union Pet = Cat | Person
  enum Kind { CAT PERSON }
  input Where { a: Int = 1 b: String c: Where }
  type Query { cat: Cat person(id: ID): Person named: Named! pets: [Pet]! n: Int! people: [Person!]! echo(text: String = "x", list: [Int], where: Where, kind: Kind): String }
  type Mutation { first: Int second: Person third: Int! }
`);

const outcomes = ['value', 'value', 'value', 'value', 'value', 'null', 'throw', 'error'] as const;

/** Every field is answered by what its place draws: a value, nothing or a failure, at once or later. */
function answered(seed: number, { failing }: { failing: boolean }): GraphQLSchema {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue;
    for (const field of Object.values(type.getFields())) {
      const draw = randomFrom(seed + hash(`${type.name}.${field.name}`));
      // Some fields are read from their object, as most are in a real schema.
      if (draw.next() < 0.4 && type.name !== 'Query' && type.name !== 'Mutation') {
        delete field.resolve;
        continue;
      }
      field.resolve = ((_source, args, _context, info) => {
        const here = randomFrom(seed + hash(`${stepsTo(info.path)} ${JSON.stringify(args)}`));
        const value = () => draw1(here, String(field.type), failing, args, 0);
        return here.next() < 0.3 ? later(value) : value();
      }) satisfies GraphQLFieldResolver<unknown, unknown>;
    }
  }
  return schema;
}

function draw1(here: Random, type: string, failing: boolean, args: object, depth: number): unknown {
  const outcome = failing ? here.pick(outcomes) : 'value';
  if (outcome === 'null') return here.next() < 0.5 ? null : undefined;
  if (outcome === 'throw')
    throw here.next() < 0.5 ? new Error('thrown') : new GraphQLError('coded');
  if (outcome === 'error') return new Error('returned');
  const named = type.replace(/!$/, '');
  if (named.startsWith('[')) {
    if (failing && here.next() < 0.05) return 'no list';
    const items = Array.from({ length: here.between(0, 3) }, () => {
      const item = () => draw1(here, named.slice(1, -1), failing, args, depth + 1);
      if (!(here.next() < 0.2)) return attempt(item);
      return later(item);
    });
    return here.next() < 0.2 ? new Set(items) : items;
  }
  switch (named) {
    case 'Int':
      return failing && here.next() < 0.1 ? 'no number' : here.between(0, 9);
    case 'String':
      return JSON.stringify(args);
    default: {
      const typename = here.next() < 0.5 ? 'Cat' : 'Person';
      const more = () => (depth > 3 ? null : draw1(here, 'Cat', false, {}, depth + 1));
      return {
        __typename: failing && here.next() < 0.05 ? 'Nobody' : typename,
        name: here.next() < 0.2 ? () => 'called' : 'read',
        age: here.between(0, 99),
        lives: failing && here.next() < 0.1 ? null : 9,
        tags: ['a', 'b'],
        grid: [[1, 2], [], null],
        owner: here.next() < 0.2 ? Promise.resolve(null) : null,
        friends: [null, more()],
        boss: null,
      };
    }
  }
}

/** A list holds what failed as a rejected promise or as the error itself. */
function attempt(item: () => unknown): unknown {
  try {
    return item();
  } catch (error) {
    return error;
  }
}

const later = async (value: () => unknown): Promise<unknown> => {
  await null;
  return value();
};

const stepsTo = (path: { prev: unknown; key: string | number } | undefined): string =>
  path === undefined ? '' : `${stepsTo(path.prev as typeof path | undefined)}/${path.key}`;

function hash(text: string): number {
  let sum = 0;
  for (const letter of text) sum = (sum * 31 + letter.charCodeAt(0)) | 0;
  return Math.abs(sum);
}

/** A random operation: aliases, repeated keys, fragments on every type, directives with literals and variables. */
function operation(random: Random): string {
  const selection = (type: string, depth: number): string => {
    const leaves: Record<string, [string, ...string[]]> = {
      Query: [
        'n',
        'echo(text: "t")',
        'echo(list: [1, 2])',
        'echo(where: { b: $text })',
        '__typename',
      ],
      Cat: ['name', 'lives', 'grid', 'tags', '__typename'],
      Person: ['name', 'age', 'echo(text: $text)', 'echo(list: [$n])', '__typename'],
      Named: ['name', '__typename'],
      Pet: ['__typename'],
    };
    const branches: Record<string, [string, string][]> = {
      Query: [
        ['cat', 'Cat'],
        ['person(id: 1)', 'Person'],
        ['named', 'Named'],
        ['pets', 'Pet'],
        ['people', 'Person'],
      ],
      Cat: [
        ['owner', 'Person'],
        ['friends', 'Named'],
      ],
      Person: [
        ['pets', 'Pet'],
        ['pets(first: $n)', 'Pet'],
        ['pets(kind: CAT)', 'Pet'],
        ['best', 'Pet'],
        ['boss', 'Person'],
      ],
      Named: [],
      Pet: [],
    };
    const parts = Array.from({ length: random.between(1, 4) }, () => {
      const directive =
        random.next() < 0.15
          ? ` @${random.pick(['skip', 'include'])}(if: ${random.pick(['true', 'false', '$yes', '$no'])})`
          : '';
      const alias =
        random.next() < 0.3
          ? `${random.pick(['a', 'b', 'constructor', '__proto__', 'then'])}: `
          : '';
      const fragment = type === 'Pet' || type === 'Named' ? 0.7 : 0.15;
      if (depth > 0 && random.next() < fragment) {
        const on = type === 'Query' ? 'Query' : random.pick(['Cat', 'Person']);
        if (type === on || type === 'Pet' || type === 'Named') {
          return `... on ${on}${directive} { ${selection(on, depth - 1)} }`;
        }
      }
      const branch = depth > 0 && random.next() < 0.6 ? (branches[type] ?? []) : [];
      const [one, ...others] = branch;
      if (one !== undefined) {
        const [field, to]: [string, string] = random.pick([one, ...others]);
        return `${alias}${field}${directive} { ${selection(to, depth - 1)} }`;
      }
      const leaf: string = random.pick(leaves[type] ?? ['__typename']);
      return `${alias}${leaf}${directive}`;
    });
    return parts.join(' ');
  };
  return `query Q($text: String, $n: Int = 3, $yes: Boolean! = true, $no: Boolean! = false) { ${selection('Query', 4)} ...F } fragment F on Query { ${selection('Query', 3)} }`;
}

/** Keys that collide and variables that are not used matter to no executor. */
const RULES = specifiedRules.filter(
  ({ name }) => !/NoUnusedVariables|OverlappingFields/.test(name),
);

const run = createExecutor();

async function same(args: ExecutionArgs): Promise<void> {
  const planned = await run(args);
  const own = await deaf(async () => execute(args));
  expect(plain(planned)).toEqual(plain(own));
}

/**
 * GraphQL's own executor leaves promises behind in lists whose other items have failed at once; their rejections would
 * end the process, and here the run. Those of the planned executor are heard.
 */
async function deaf<Value>(run: () => Promise<Value>): Promise<Value> {
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', () => undefined);
  const value = await run();
  await new Promise((resolve) => setImmediate(resolve));
  process.removeAllListeners('unhandledRejection');
  for (const listener of listeners) process.on('unhandledRejection', listener);
  return value;
}

/** Messages of faults in resolvers' answers are worded by each executor for itself; callers see them masked. */
const plain = ({ data, errors }: Awaited<ReturnType<typeof run>>) => ({
  data: JSON.stringify(data),
  errors: errors
    ?.map(({ message, path, locations }) => ({
      message: FAULT.test(message) ? 'fault' : message,
      path,
      locations,
    }))
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
});

const FAULT =
  /Expected Iterable|Expected a list|Abstract type|resolved to|Cannot return null|is no |serialized/;

const SEEDS = isSweep ? 400 : 100;

test.each([
  ['that succeed', false],
  ['that fail in every place and manner', true],
])('fields %s', async (_name, failing) => {
  let valid = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const document = parse(operation(randomFrom(seed)));
    if (validate(schema, document, RULES).length > 0) continue;
    valid += 1;
    const variableValues =
      seed % 3 === 0 ? { yes: false, text: 'v' } : seed % 3 === 1 ? { n: 1 } : {};
    await same({ schema: answered(seed, { failing }), document, variableValues });
    await same({ schema, document, variableValues: { ...variableValues, no: true } });
  }
  expect(valid).toBeGreaterThan(SEEDS / 4);
});

test('mutations run one field after the other', async () => {
  const steps: string[] = [];
  const field = (name: string, value: unknown) => async () => {
    steps.push(`${name} begins`);
    await null;
    steps.push(`${name} ends`);
    if (value instanceof Error) throw value;
    return value;
  };
  const fields = schema.getMutationType()?.getFields() ?? {};
  Object.assign(fields.first ?? {}, { resolve: field('first', 1) });
  Object.assign(fields.second ?? {}, { resolve: field('second', new Error('no')) });
  Object.assign(fields.third ?? {}, { resolve: field('third', 3) });
  await same({ schema, document: parse('mutation { third first second { name } again: first }') });
  expect(steps.slice(0, 8)).toEqual(
    ['third', 'first', 'second', 'first'].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
});

test.each<[string, string, Omit<ExecutionArgs, 'schema' | 'document'>]>([
  ['no operation', 'fragment F on Query { n }', {}],
  ['an unknown operation', 'query A { n }', { operationName: 'B' }],
  ['one of several operations', 'query A { n } query B { __typename }', { operationName: 'B' }],
  ['several operations and no name', 'query A { n } query B { n }', {}],
  [
    'a variable without a value',
    'query ($n: Int!) { person { pets(first: $n) { __typename } } }',
    {},
  ],
  ['a variable of another type', 'query ($n: Int) { n }', { variableValues: { n: 'x' } }],
  [
    'an argument that is wrong only with its variable',
    'query ($k: Kind) { echo(kind: $k) }',
    { variableValues: { k: 'DOG' } },
  ],
  [
    'null for the condition of a root field',
    'query ($x: Boolean = true) { n ...F @include(if: $x) } fragment F on Query { m: n }',
    { variableValues: { x: null } },
  ],
  [
    'null for a condition further down',
    'query ($x: Boolean = true) { person { name age @include(if: $x) } }',
    { variableValues: { x: null } },
  ],
  ['no subscription in the schema', 'subscription { n }', {}],
  [
    'introspection',
    '{ __schema { types { name fields(includeDeprecated: true) { name args { defaultValue } } } } __type(name: "Cat") { name } }',
    {},
  ],
])('%s', async (_name, text, args) => {
  await same({ schema: answered(7, { failing: false }), document: parse(text), ...args });
});

test('a document is planned anew for other conditions', async () => {
  const names = Array.from({ length: 6 }, (_, index) => `c${index}`);
  const fields = names.map((name, index) => `a${index}: n @include(if: $${name})`);
  const document: DocumentNode = parse(
    `query (${names.map((name) => `$${name}: Boolean!`)}) { n ${fields.join(' ')} }`,
  );
  answered(3, { failing: false });
  for (let bits = 0; bits < 64; bits++) {
    const variableValues = Object.fromEntries(
      names.map((name, at) => [name, (bits >> at) % 2 === 1]),
    );
    await same({ schema, document, variableValues });
  }
});

test('a text in the place of a condition of another operation decides nothing', async () => {
  const document = parse(`
    query A($x: Boolean!, $y: Boolean!, $z: Boolean!) {
      a: n @skip(if: $x) b: n @skip(if: $y) c: n @skip(if: $z)
    }
    query B($x: String!, $y: Boolean!, $z: String!) { a: echo(text: $x) b: n @skip(if: $y) c: echo(text: $z) }`);
  answered(3, { failing: false });
  const operationName = 'B';
  const hidden = { x: 'a false b', y: true, z: 'c' };
  const shown = { x: 'a', y: false, z: 'b true c' };
  for (const variableValues of [hidden, shown, hidden]) {
    await same({ schema, document, operationName, variableValues });
  }
});

describe('of a document', () => {
  const operationOf = (document: DocumentNode, name?: string) => {
    const operation = getOperationAST(document, name);
    if (operation == null) throw new Error('the document has no such operation');
    return operation;
  };

  test('one plan is kept for each choice of its fields, and eight of them at most', () => {
    const planOf = createPlanner();
    const names = Array.from({ length: 4 }, (_, index) => `c${index}`);
    const document = parse(
      `query A(${names.map((name) => `$${name}: Boolean!`)}) { n ${names.map((name) => `${name}: n @include(if: $${name})`).join(' ')} }
       query B($c0: String) { echo(text: $c0) }`,
    );
    const [a, b] = [operationOf(document, 'A'), operationOf(document, 'B')];
    const choice = (bits: number) =>
      Object.fromEntries(names.map((name, at) => [name, (bits >> at) % 2 === 1]));
    const first = planOf(schema, document, a, choice(0));
    expect(planOf(schema, document, a, choice(0))).toBe(first);
    // Another operation has texts under the name of a condition: of all of them there is one plan.
    const ofText = planOf(schema, document, b, { c0: 'x' });
    expect(planOf(schema, document, b, { c0: 'y'.repeat(1_000) })).toBe(ofText);
    for (let bits = 1; bits < 8; bits++) planOf(schema, document, a, choice(bits));
    expect(planOf(schema, document, a, choice(0))).not.toBe(first);
  });

  test('a plan is kept only while it stays in proportion to the text', () => {
    const planOf = createPlanner();
    const document = parse(`
      { cat { ...A } }
      fragment A on Cat { ${six('owner { ...B }')} } fragment B on Person { ${six('boss { ...C }')} }
      fragment C on Person { ${six('boss { ...D }')} } fragment D on Person { name age }`);
    const planned = () => planOf(schema, document, operationOf(document), {});
    const first = planned();
    expect(planned()).toBe(first);
    walk(first.selection);
    expect(planned()).not.toBe(first);
  });
});

const six = (field: string) =>
  Array.from({ length: 6 }, (_, index) => `a${index}: ${field}`).join(' ');

/** Goes where executions go. */
function walk({ fields }: SelectionPlan): void {
  for (const { completion, selectionOn } of fields) {
    if (completion.kind === 'object') walk(selectionOn(completion.type));
  }
}
