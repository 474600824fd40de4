import {
  isRepository,
  isTag,
  type Registry,
  type Repository,
  type Tag,
} from '../registry/registry.ts';

/** Where the image of an uploaded pack lives: `<namespace>/<org slug>/<pack name>:<version>`. */
export interface ImageLocation {
  readonly repository: Repository;
  readonly tag: Tag;
  /** What a client pulls; without a host where the registry is the embedded layout. */
  readonly imageRef: string;
}

/** @throws Error where a name or version was not checked before */
export function imageLocation(
  registry: Registry,
  namespace: string,
  orgSlug: string,
  pack: { readonly name: string; readonly version: string },
): ImageLocation {
  return locationIn(registry, `${namespace}/${orgSlug}/${pack.name}`, pack.version);
}

/** A tag has no "+", which a semantic version may hold; "_" is what Helm writes for it. */
export const tagOf = (version: string): string => version.replaceAll('+', '_');

/** Where a version of a pack lives whose repository is given. */
export function locationIn(registry: Registry, repository: string, version: string): ImageLocation {
  const tag = tagOf(version);
  if (!isRepository(repository) || !isTag(tag)) {
    throw new Error('a namespace, slug, name or version got here without having been checked');
  }
  const path = `${repository}:${tag}`;
  return {
    repository,
    tag,
    imageRef: registry.host === null ? path : `${registry.host}/${path}`,
  };
}
