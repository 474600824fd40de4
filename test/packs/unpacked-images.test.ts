/** What one org reads of large images leaves room for the others. */
import { expect, onTestFinished, test } from 'vitest';
import { newUuid, orgIds } from '../../src/model/ids.ts';
import { ContentsFile } from '../../src/packs/contents/contents-file.ts';
import type { UnpackOutcome } from '../../src/packs/contents/unpack-image.ts';
import { type ImageInUse, UnpackedImages } from '../../src/packs/contents/unpacked-images.ts';
import type { Digest } from '../../src/registry/registry.ts';

const MIB = 1024 ** 2;
const LARGE = `sha256:${'a'.repeat(64)}` as Digest;
const SMALL = `sha256:${'b'.repeat(64)}` as Digest;
const OTHER = `sha256:${'c'.repeat(64)}` as Digest;

function* zeros(mebibytes: number) {
  for (let at = 0; at < mebibytes; at += 1) yield Buffer.alloc(MIB);
}

async function unpacked(mebibytes: number): Promise<UnpackOutcome> {
  const contents = await ContentsFile.create();
  await contents.append(
    (async function* () {
      yield* zeros(mebibytes);
    })(),
  );
  await contents.seal();
  return { kind: 'unpacked', files: [], directories: [], contents };
}

test('an org that reads large images gets no other one until it is done, and every other org does', async () => {
  const images = new UnpackedImages();
  onTestFinished(() => images.close());
  const [one, other] = [orgIds.of(newUuid()), orgIds.of(newUuid())];
  const use = async (org: typeof one, digest: Digest, mebibytes: number): Promise<ImageInUse> => {
    const used = await images.use(org, digest, () => unpacked(mebibytes));
    if (used.kind !== 'in_use') throw new Error(used.kind);
    return used;
  };
  const first = await use(one, LARGE, 257);
  const again = await use(one, LARGE, 257);
  await expect(use(one, SMALL, 1)).rejects.toMatchObject({ code: 'rate_limited' });
  (await use(other, SMALL, 1))[Symbol.dispose]();
  await expect(use(one, SMALL, 1)).rejects.toMatchObject({ code: 'rate_limited' });
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  await expect(use(one, OTHER, 1)).rejects.toMatchObject({ code: 'rate_limited' });
  again[Symbol.dispose]();
  (await use(one, OTHER, 1))[Symbol.dispose]();
});
