import { referrerTags } from '../referrer-tags.ts';
import type { Digest } from '../registry.ts';
import { CallFailed, failed } from './call-failed.ts';
import type { RepositoryView } from './repository-view.ts';

/** What hangs on one manifest. */
interface Node {
  readonly isThere: boolean;
  /** Its own `subject` field names the manifest they were found for: they go with it in any case. */
  readonly referrers: readonly Digest[];
  /** Found by a tag's name: they go unless something else is seen to need them. */
  readonly named: readonly Digest[];
  /** An index's own: they go only where all that might need them is seen. */
  readonly children: readonly Digest[];
}

/** An image has a few signatures and platforms; each manifest is a request, and all share one deadline. */
const MOST_MANIFESTS = 1_000;

const dependentsOf = (node: Node) => [...node.named, ...node.children];

/**
 * The digests that go with a manifest, in the order to delete them: what refers to it, then the children that
 * nothing else needs, then itself. So the manifest that leads to the others is there until the last of them
 * is gone, and a purge that was cut off at any point finds the rest when it is repeated.
 *
 * `held` and what it needs is kept. Null where the manifest itself is needed: by `held`, or by an index that
 * somebody else tagged. Throws `CallFailed`.
 */
export async function planPurge(
  view: RepositoryView,
  subject: Digest,
  held: ReadonlySet<Digest>,
): Promise<Digest[] | null> {
  // Nothing has to be asked for that.
  if (held.has(subject)) return null;
  const [heldNeeds, nodes] = await Promise.all([closure(view, held), gather(view, subject)]);
  const taggedNeeds = await neededByTags(view, subject, nodes);
  if (heldNeeds.has(subject)) return null;
  // One that is gone already cannot be kept: an index that names it was broken before.
  if (taggedNeeds.has(subject) && nodes.get(subject)?.isThere) return null;

  const plan = new Set<Digest>();
  const visited = new Set<Digest>();
  const visit = (digest: Digest): void => {
    if (visited.has(digest)) return;
    visited.add(digest);
    const node = nodes.get(digest);
    for (const referrer of node?.referrers ?? []) if (!heldNeeds.has(referrer)) visit(referrer);
    for (const dependent of node ? dependentsOf(node) : []) {
      if (!heldNeeds.has(dependent) && !taggedNeeds.has(dependent)) visit(dependent);
    }
    plan.add(digest);
  };
  visit(subject);
  return [...plan];
}

/** Everything reachable from the subject, level by level; cycles end because each digest is looked at once. */
async function gather(view: RepositoryView, subject: Digest): Promise<Map<Digest, Node>> {
  const nodes = new Map<Digest, Node>();
  let level = [subject];
  while (level.length > 0) {
    if (nodes.size + level.length > MOST_MANIFESTS) {
      throw new CallFailed(
        failed('REGISTRY_ERROR', false, 'more than 1,000 manifests hang on the image'),
      );
    }
    const looked = await Promise.all(
      level.map(async (digest) => [digest, await look(view, digest)] as const),
    );
    for (const [digest, node] of looked) nodes.set(digest, node);
    level = [
      ...new Set(looked.flatMap(([, node]) => [...node.referrers, ...dependentsOf(node)])),
    ].filter((digest) => !nodes.has(digest));
  }
  return nodes;
}

async function look(view: RepositoryView, digest: Digest): Promise<Node> {
  const [manifest, listed, tagged] = await Promise.all([
    view.manifest(digest),
    view.listedReferrers(digest),
    view.taggedReferrers(digest),
  ]);
  // Anybody who may push can push an index under the fallback tag: what it lists is a referrer only if the
  // listed manifest says so itself.
  const claimed = new Set([...listed, ...tagged.flatMap(({ children }) => children)]);
  const confirmed = await Promise.all(
    [...claimed].map(async (claim) => (await view.manifest(claim))?.subject === digest),
  );
  return {
    isThere: manifest !== null,
    referrers: [...claimed].filter((_, at) => confirmed[at]),
    named: tagged.map((manifest) => manifest.digest),
    children: manifest?.children ?? [],
  };
}

/**
 * What the repository's other tags need. An untagged index that is in no pack cannot be found through the
 * API, so it protects nothing. Where the tags cannot be listed, every child of an index counts as needed.
 */
async function neededByTags(
  view: RepositoryView,
  subject: Digest,
  nodes: ReadonlyMap<Digest, Node>,
): Promise<ReadonlySet<Digest>> {
  const tagged = await view.tagged();
  if (tagged === null) {
    const children = [...nodes.values()].flatMap((node) => node.children);
    return new Set(children.filter((child) => child !== subject));
  }
  const going = new Set([subject, ...[...nodes.values()].flatMap((node) => node.referrers)]);
  const own = new Set([...nodes.keys()].flatMap(referrerTags));
  const roots = [...tagged]
    .filter(([tag]) => !own.has(tag))
    .flatMap(([, manifest]) => (manifest ? [manifest.digest] : []));
  return closure(view, new Set(roots.filter((digest) => !going.has(digest))));
}

/** The digests and all that they lead to as indexes. */
async function closure(
  view: RepositoryView,
  roots: ReadonlySet<Digest>,
): Promise<ReadonlySet<Digest>> {
  const needed = new Set<Digest>();
  let level = [...roots];
  while (level.length > 0) {
    for (const digest of level) needed.add(digest);
    const manifests = await Promise.all(level.map((digest) => view.manifest(digest)));
    const children = manifests.flatMap((manifest) => manifest?.children ?? []);
    level = [...new Set(children)].filter((digest) => !needed.has(digest));
  }
  return needed;
}
