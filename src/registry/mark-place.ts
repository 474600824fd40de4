import { isRepository, isTag, type Repository, type Tag } from './registry.ts';

/**
 * Where a namespace says whose it is (`consistency/namespace-mark.ts`). The last part stands in place of an org's slug,
 * which has no dot, and no pack is in a repository without a name below that. Listings of the namespace leave it out.
 */
export function placeOfMark(namespace: string): {
  readonly repository: Repository;
  readonly tag: Tag;
} {
  const repository = `${namespace}/pack-gateway.database`;
  const tag = 'mark';
  if (!isRepository(repository) || !isTag(tag)) {
    throw new Error('a namespace got here without having been checked');
  }
  return { repository, tag };
}
