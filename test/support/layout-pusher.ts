/**
 * Pushes images into a layout and says so line by line: `node layout-pusher.ts DIR NAME COUNT [purge [BYTES]]`.
 * With `purge` every third image is purged again; BYTES is the size of a layer. The lines let a test that kills this process know what
 * was promised before it died.
 */
import { writeSync } from 'node:fs';
import { createLayoutRegistry } from '../../src/registry/layout/layout-registry.ts';
import { isRepository, isTag } from '../../src/registry/registry.ts';
import { sampleImage, sampleLayer } from './sample-image.ts';

const [directory = '', name = '', count = '0', mode, bytes] = process.argv.slice(2);
const repository = `packs/test/${name}`;
if (!isRepository(repository)) throw new Error(`no repository: ${repository}`);
const say = (line: string) => writeSync(1, `${line}\n`);

const registry = await createLayoutRegistry({ directory });
for (let i = 0; i < Number(count); i++) {
  const tag = String(i);
  if (!isTag(tag)) throw new Error(`no tag: ${tag}`);
  const layers = bytes && [sampleLayer(`${name} ${i}`.padEnd(Number(bytes)))];
  const image = sampleImage(`${name} ${i}`, { ...(layers && { layers }) });
  const pushed = await registry.push(repository, tag, image);
  say(pushed.kind === 'failed' ? `failed ${i} ${JSON.stringify(pushed)}` : `pushed ${i}`);
  if (mode !== 'purge' || i % 3 !== 0) continue;
  say(`purging ${i}`);
  const purged = await registry.purge(repository, image.descriptor.digest);
  say(`${purged.kind} ${i}`);
}
await registry.close();
