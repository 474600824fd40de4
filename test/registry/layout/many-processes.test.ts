import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { isSweep } from '../../support/extent.ts';
import { sampleImage } from '../../support/sample-image.ts';
import { startNode } from '../../support/start-node.ts';
import {
  digestsOf,
  openLayout,
  repo,
  stateOf,
  storedDigests,
  tagged,
  temporaryDirectory,
} from './open-layout.ts';

const pusher = 'test/support/layout-pusher.ts';
const imageOf = (name: string, i: number | string) => sampleImage(`${name} ${i}`);

it('keeps all of 100 images that four processes push at the same time', async () => {
  const directory = await temporaryDirectory();
  const names = ['a', 'b', 'c', 'd'];
  const said = await Promise.all(
    names.map((name) => text(startNode(pusher, [directory, name, '25']).stdout)),
  );
  expect(said.join('').match(/^pushed \d+$/gm)).toHaveLength(100);
  const { registry } = await openLayout(directory);
  for (const name of names)
    for (let i = 0; i < 25; i++) {
      const state = await stateOf(
        registry,
        repo(`packs/test/${name}`),
        tagged(`${i}`),
        imageOf(name, i),
      );
      expect(state, `${name} ${i}`).toBe('whole');
    }
});

const KILLS = isSweep ? 20 : 4;

it(`keeps what was acknowledged, and no more, through ${KILLS} kills at random points`, async () => {
  const directory = await temporaryDirectory();
  const expected: ReturnType<typeof imageOf>[] = [];
  for (let round = 0; round < KILLS; round++) {
    const name = `round${round}`;
    // Every other round with changes that share a write.
    const atOnce = round % 2 === 0 ? 1 : 6;
    const place = (i: number | string) =>
      repo(atOnce === 1 ? `packs/test/${name}` : `packs/test/${name}/${i}`);
    const child = startNode(pusher, [directory, name, '100000', 'purge', '0', `${atOnce}`]);
    const output = text(child.stdout);
    await once(child.stdout, 'readable');
    await sleep(Math.random() * 60);
    child.kill('SIGKILL');
    const said = (await output).split('\n');
    const { registry } = await openLayout(directory);
    for (const line of said) {
      const [what, i = ''] = line.split(' ');
      if (what !== 'pushed') continue;
      const state = await stateOf(registry, place(i), tagged(i), imageOf(name, i));
      const purge = said.includes(`purged ${i}`)
        ? ['missing']
        : said.includes(`purging ${i}`)
          ? ['missing', 'whole']
          : ['whole'];
      expect(purge, `${name} ${i}`).toContain(state);
      if (state === 'whole') expected.push(imageOf(name, i));
    }
    // A push that was cut may have been done, without a chance to say so.
    const begun = said.filter((line) => line.startsWith('pushed ')).length + atOnce;
    for (let i = 0; i < begun; i++) {
      if (said.includes(`pushed ${i}`)) continue;
      const cut = await registry.readManifest(place(i), tagged(`${i}`));
      if (cut.kind === 'found') expected.push(imageOf(name, i));
    }
    expect(await storedDigests(directory)).toEqual(digestsOf(...expected));
    // One staging directory with its lock and pid, which are this registry's own.
    expect(await readdir(join(directory, '.pack-gateway/staging'))).toHaveLength(3);
    await registry.close();
  }
  expect(await readdir(join(directory, '.pack-gateway/staging'))).toEqual([]);
  expect(expected.length).toBeGreaterThan(0);
}, 180_000);
