/** The registry dies while it handles the DELETE of an image: what it then keeps of it must not come back. */
import { setTimeout as pause } from 'node:timers/promises';
import { createDistributionRegistry } from '../../src/registry/distribution/distribution-registry.ts';
import { putBystander, removeBystander, stateOfBystander } from '../support/bystander.ts';
import { type Answer, deletePack, upload } from './api.ts';
import type { Ledger, PackEntry } from './ledger.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

const OWN_TAG = '1.0.0';
const OTHER_TAG = 'latest';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONVERGES_WITHIN_MS = 30_000;

/** Deletes a pack of its own with two tags on its image, kills the registry in it, and asks for it again until it is done. */
export async function killInDelete(world: World, random: Random, ledger: Ledger): Promise<void> {
  const { registry, replicas } = world;
  const name = `killed-in-delete-${ledger.packs.length + ledger.doubtfulNames.size}`;
  const uploaded = await upload(random.pick(replicas).url, name);
  if (uploaded?.pack === undefined) {
    ledger.doubtfulNames.add(name);
    return;
  }
  const { id, imageDigest: digest } = uploaded.pack;
  const entry: PackEntry = {
    id,
    name,
    digest,
    state: 'unknown',
    deletionBegun: true,
    attached: false,
  };
  ledger.packs.push(entry);
  const at = (reference: string) =>
    new URL(`/v2/packs/default/${name}/manifests/${reference}`, registry.directUrl);
  const manifest = await (await fetch(at(digest), { headers: { accept: MANIFEST } })).text();
  const put = (reference: string) =>
    fetch(at(reference), { method: 'PUT', headers: { 'content-type': MANIFEST }, body: manifest });
  await put(OTHER_TAG);

  const store = createDistributionRegistry({ url: registry.directUrl, deadlineMs: 10_000 });
  try {
    await putBystander(store, name);
    const first = deletePack(random.pick(replicas).url, id);
    await registry.crashInDelete(name, random.between(0, 6), random.between(0, 500));
    const answer = await untilDeleted(world, random, id, await first);
    const bystander = await stateOfBystander(store, name);
    if (bystander !== 'whole')
      ledger.contradictions.push(`${name} (${id}): an index of others: ${bystander}`);
    // Deleted by a call whose answer was lost: nobody was told which tags are left.
    if (answer === null) return;
    entry.state = 'deleted';

    const remaining = new Set(answer.remainingTags);
    const comeBack = async (when: string, ...references: string[]) => {
      for (const reference of references) {
        if (remaining.has(reference)) continue;
        const read = await fetch(at(reference), { headers: { accept: MANIFEST } });
        await read.arrayBuffer();
        if (read.headers.get('docker-content-digest') === digest) {
          ledger.contradictions.push(
            `${name} (${id}): ${reference} pulls the deleted image ${when}`,
          );
        }
      }
    };
    await comeBack('after DeletedPack', digest, OWN_TAG, OTHER_TAG);
    // The same content again, as anybody may send it, under no tag.
    await put(digest);
    await comeBack('after the same content came again', OWN_TAG, OTHER_TAG);
    await fetch(at(digest), { method: 'DELETE' });
  } finally {
    await removeBystander(store, name).finally(() => store.close());
  }
}

/** The answer that says so; null where one that was lost has said so before. */
async function untilDeleted(
  { replicas }: World,
  random: Random,
  id: string,
  first: Answer | null,
): Promise<Answer | null> {
  let answer = first;
  for (const giveUpAt = Date.now() + CONVERGES_WITHIN_MS; Date.now() < giveUpAt; ) {
    if (answer?.__typename === 'DeletedPack') return answer;
    if (answer?.__typename === 'NotFound') return null;
    await pause(500);
    answer = await deletePack(random.pick(replicas).url, id);
  }
  return null;
}
