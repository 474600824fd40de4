/**
 * Pushes images into a layout and says so line by line: `node layout-pusher.ts DIR NAME COUNT [purge [BYTES [AT_ONCE]]]`.
 * With `purge` every third image is purged again; BYTES is the size of a layer, 0 for a small one; AT_ONCE images are
 * worked on at the same time, each in a repository of its own. The lines let a test that kills this process know what was
 * promised before it died.
 */
import { writeSync } from 'node:fs';
import { inParallel } from '../../src/registry/in-parallel.ts';
import { createLayoutRegistry } from '../../src/registry/layout/layout-registry.ts';
import { isRepository, isTag } from '../../src/registry/registry.ts';
import { sampleImage, sampleLayer } from './sample-image.ts';

const [directory = '', name = '', count = '0', mode, bytes = '0', atOnce = '1'] =
  process.argv.slice(2);
const say = (line: string) => writeSync(1, `${line}\n`);

const registry = await createLayoutRegistry({ directory });
await inParallel(Array(Number(count)).keys(), Number(atOnce), async (i) => {
  const tag = String(i);
  const repository = Number(atOnce) === 1 ? `packs/test/${name}` : `packs/test/${name}/${i}`;
  if (!isTag(tag) || !isRepository(repository)) throw new Error(`no place: ${repository}:${tag}`);
  const layers = Number(bytes) > 0 && [sampleLayer(`${name} ${i}`.padEnd(Number(bytes)))];
  const image = sampleImage(`${name} ${i}`, { ...(layers && { layers }) });
  const pushed = await registry.push(repository, tag, image);
  say(pushed.kind === 'failed' ? `failed ${i} ${JSON.stringify(pushed)}` : `pushed ${i}`);
  if (mode !== 'purge' || i % 3 !== 0) return;
  say(`purging ${i}`);
  const purged = await registry.purge(repository, image.descriptor.digest);
  say(`${purged.kind} ${i}`);
});
await registry.close();
