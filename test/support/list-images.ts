import type { Registry, RegistryFailure, StoredImage } from '../../src/registry/registry.ts';

/** The images in repositories under a namespace, as far as the registry can list them. */
export async function listImages(
  registry: Pick<Registry, 'walkImages'>,
  namespace: string,
): Promise<{ readonly kind: 'listed'; readonly images: readonly StoredImage[] } | RegistryFailure> {
  const images: StoredImage[] = [];
  const outcome = await registry.walkImages(namespace, async (_, some) => {
    images.push(...some);
  });
  return outcome.kind === 'walked' ? { kind: 'listed', images } : outcome;
}
