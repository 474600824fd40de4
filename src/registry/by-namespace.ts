import type { Registry, Repository } from './registry.ts';

/**
 * One registry over two sets of connections: `own` for what lies in the namespace, `named` for what callers name beside it.
 * A repository that mirrors another registry fails with that one, and hangs with it: it must neither open the circuit
 * that purges go through, nor hold the connections that they need.
 * @param namespace `REGISTRY_NAMESPACE`
 */
export function byNamespace(own: Registry, named: Registry, namespace: string): Registry {
  const of = (repository: Repository) => (repository.startsWith(`${namespace}/`) ? own : named);
  return {
    ...own,
    readManifest: (repository, ...rest) => of(repository).readManifest(repository, ...rest),
    readBlob: (repository, ...rest) => of(repository).readBlob(repository, ...rest),
    // What fails with another registry as its source may be that one's failure.
    copyImage: (from, ...rest) =>
      (from.registry === undefined ? of(from.repository) : named).copyImage(from, ...rest),
    close: async () => {
      await Promise.all([own.close(), named.close()]);
    },
  };
}
