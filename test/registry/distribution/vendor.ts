/** Registries in memory that answer as a vendor's source or documentation has it; each ends with the test. */
import { onTestFinished } from 'vitest';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import type { Image } from '../../../src/registry/registry.ts';
import {
  type HostileRegistry,
  registryError,
  type ScriptedAnswer,
  startHostileRegistry,
} from '../../support/hostile-registry.ts';
import { repository } from './images.ts';

export const name = repository('packs/acme/elsewhere');

export interface Store {
  readonly manifests: Map<string, Image>;
  readonly tags: Map<string, Image>;
  /** Whether a tag pulls without the digest that it was set to. */
  copies: boolean;
}

/** A registry in memory; `special` answers what this vendor does differently. */
export async function vendor(
  special: (method: string, path: string, store: Store) => ScriptedAnswer | undefined,
  tags: Record<string, Image>,
  ...untagged: Image[]
) {
  const store: Store = {
    manifests: new Map(),
    tags: new Map(Object.entries(tags)),
    copies: false,
  };
  for (const image of [...Object.values(tags), ...untagged]) {
    store.manifests.set(image.descriptor.digest, image);
  }
  const hostile: HostileRegistry = await startHostileRegistry(({ method, path }) => {
    const own = special(method, path, store);
    if (own) return own;
    if (path.includes('/tags/list')) {
      return { status: 200, body: JSON.stringify({ tags: [...store.tags.keys()] }) };
    }
    if (path.includes('/referrers/')) return { status: 404, body: '{}' };
    const reference = path.split('/').at(-1) ?? '';
    const tagged = store.tags.get(reference);
    const found = store.manifests.get(reference) ?? tagged;
    if (!found) return registryError(404, 'MANIFEST_UNKNOWN');
    if (method === 'GET') {
      // A tag is a name for a digest and pulls nothing without it, unless the vendor has copies.
      const { digest } = found.descriptor;
      return store.copies || store.manifests.has(digest)
        ? { status: 200, body: found.manifest }
        : registryError(404, 'MANIFEST_UNKNOWN');
    }
    if (!store.tags.delete(reference)) {
      store.manifests.delete(reference);
      for (const [name, image] of store.tags) if (image === found) store.tags.delete(name);
    }
    return { status: 202 };
  });
  const registry = createDistributionRegistry({ url: hostile.url, deadlineMs: 5_000 });
  onTestFinished(async () => {
    await registry.close();
    await hostile.stop();
  });
  return { registry, store, seen: hostile.seen };
}
