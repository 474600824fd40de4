/** What somebody else keeps beside a pack's image: no deletion may harm it. */
import { isRepository, isTag, type Registry, type Tag } from '../../src/registry/registry.ts';
import type { Gateway } from './gateway.ts';
import { sampleImage, sampleIndex } from './sample-image.ts';

const [CHILD, INDEX] = ['arm64', 'multi-arch'].map((tag) => {
  if (!isTag(tag)) throw new Error('a tag that is none');
  return tag;
}) as [Tag, Tag];

const child = sampleImage('of a bystander');
/** Its children are sent before it, as every client does. */
const index = { ...sampleIndex('a bystander', [child]), blobs: [] };

const repositoryOf = (pack: string) => {
  const repository = `packs/default/${pack}`;
  if (!isRepository(repository)) throw new Error('a repository that is none');
  return repository;
};

/** The registry of a gateway, or one that is asked past any. */
type Place = Gateway | Registry;

const registryOf = (place: Place): Registry => ('app' in place ? place.app.world.registry : place);

/** Puts a tagged index of another image into the repository of a pack of this name. */
export async function putBystander(place: Place, pack: string): Promise<void> {
  const registry = registryOf(place);
  for (const [tag, image] of [
    [CHILD, child],
    [INDEX, index],
  ] as const) {
    const pushed = await registry.push(repositoryOf(pack), tag, image);
    if (pushed.kind === 'failed') throw new Error(pushed.detail);
  }
}

/** Takes it away again. */
export async function removeBystander(place: Place, pack: string): Promise<void> {
  for (const { descriptor } of [index, child]) {
    const purged = await registryOf(place).purge(repositoryOf(pack), descriptor.digest);
    if (purged.kind === 'failed') throw new Error(purged.detail);
  }
}

/** What of the index and the image that it names can be pulled, by tag and by digest: `whole`, or what cannot. */
export async function stateOfBystander(place: Place, pack: string): Promise<string> {
  const registry = registryOf(place);
  const repository = repositoryOf(pack);
  for (const reference of [INDEX, index.descriptor.digest, CHILD, child.descriptor.digest]) {
    const { kind } = await registry.readManifest(repository, reference);
    if (kind !== 'found') return `${reference}: ${kind}`;
  }
  for (const { descriptor } of child.blobs) {
    const blob = await registry.readBlob(repository, descriptor);
    if (blob.kind !== 'found') return `${descriptor.digest}: ${blob.kind}`;
    await blob.content.resume().toArray();
  }
  return 'whole';
}

/** Puts an index of somebody else there that names the very image of the pack. */
export async function nameInIndex(
  { app }: Gateway,
  pack: string,
  version = '1.0.0',
): Promise<void> {
  const { registry } = app.world;
  const repository = repositoryOf(pack);
  if (!isTag(version)) throw new Error('a tag that is none');
  const read = await registry.readManifest(repository, version);
  if (read.kind !== 'found') throw new Error(`the image is ${read.kind}`);
  const named = { ...sampleIndex('names it', [{ ...read, blobs: [] }]), blobs: [] };
  const pushed = await registry.push(repository, INDEX, named);
  if (pushed.kind === 'failed') throw new Error(pushed.detail);
}
