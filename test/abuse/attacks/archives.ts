import { gzipped, type RawEntry, samplePackEntries, tarOf } from '../../support/archives.ts';
import type { Attack } from '../attack.ts';
import type { Target } from '../target.ts';

const UPLOAD = 'mutation ($a: File!) { uploadPack(archive: $a) { __typename } }';

const upload = (target: Target, archive: Uint8Array) =>
  target.writer().upload(UPLOAD, { a: null }, { file: ['variables.a'] }, new Uint8Array(archive));

const yaml = (name: string, text: string): Attack => ({
  name: `pack.yaml of ${name}`,
  run: async (target) => {
    const rest = samplePackEntries().slice(1);
    return [await upload(target, gzipped(tarOf([{ name: 'pack.yaml', content: text }, ...rest])))];
  },
});

const archive = (name: string, entries: () => readonly RawEntry[]): Attack => ({
  name,
  run: async (target) => [
    await upload(target, gzipped(tarOf([...samplePackEntries({ name: 'bomb' }), ...entries()]))),
  ],
});

const REQUIRED = 'name: bomb\nversion: 1.0.0\ndescription: A pack.\n';
const KIB_60 = 60 * 1024;

/** A record of a pax header: its own length, a key and a value. */
const paxRecord = (key: string): string => `${key.length + 5} ${key}=\n`;

/** Archives whose few bytes take long to read. */
export const archives: readonly Attack[] = [
  yaml('commas', `${REQUIRED}x: [${','.repeat(KIB_60)}`),
  yaml('closing brackets', `${REQUIRED}x: ${']'.repeat(KIB_60)}`),
  yaml('reserved letters', `${REQUIRED}x: ${'@,'.repeat(KIB_60 / 2)}`),
  yaml('levels', `${REQUIRED}capabilities: ${'['.repeat(KIB_60)}`),
  yaml(
    'aliases',
    `${REQUIRED}a: &a [${'1,'.repeat(15_000)}]\ncapabilities: [${'*a,'.repeat(2_000)}]\n`,
  ),
  archive('pax records', () => {
    const records = Array.from({ length: 9_000 }, (_, at) => paxRecord(`k${10_000 + at}`)).join('');
    return Array.from({ length: 40 }, (_, at) => [
      { name: 'pax', type: 'x', content: records },
      { name: `data/${at}`, content: 'x' },
    ]).flat();
  }),
  archive('deep paths', () =>
    Array.from({ length: 5_000 }, (_, at) => ({ name: `data/${'d/'.repeat(40)}${at}` })),
  ),
  archive('zeros', () => [{ name: 'data/zeros', content: new Uint8Array(128 * 1024 ** 2) }]),
];
