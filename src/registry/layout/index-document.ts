/**
 * `index.json` of the layout: which manifests there are, and which repository and tag each belongs to.
 *
 * OCI image-layout specification, "index.json File": a tag is the annotation
 * `org.opencontainers.image.ref.name` on a descriptor; ours is `<repository>:<tag>`, for one layout holds all
 * repositories. A manifest whose tag moved on has `io.packgateway.repository` instead, so that it still
 * belongs to its repository and can be purged by digest. Entries with neither are kept and never read, and so is
 * what is no descriptor that we could read (another digest algorithm, no size).
 */
import { z } from 'zod';
import { descriptorSchema } from '../manifest-references.ts';
import type { Descriptor, Repository, Tag } from '../registry.ts';
import { isRepository, isTag } from '../registry.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';
const UNTAGGED_IN = 'io.packgateway.repository';

const entrySchema = descriptorSchema.extend({
  annotations: z.record(z.string(), z.string()).optional(),
});

// Loose, because what others wrote into the document must survive our rewriting it.
const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  manifests: z.array(z.unknown()),
});

export type Entry = z.output<typeof entrySchema>;

export interface Index {
  readonly manifests: readonly Entry[];
  /** What others wrote into the list of manifests and we cannot read. */
  readonly foreign: readonly unknown[];
  readonly document: z.output<typeof indexSchema>;
}

export const emptyIndex: Index = {
  manifests: [],
  foreign: [],
  document: {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [],
  },
};

/** The document's content, or undefined when it is no image index. */
export function parseIndex(text: string): Index | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const document = indexSchema.safeParse(json).data;
  if (document === undefined) return undefined;
  const manifests: Entry[] = [];
  const foreign: unknown[] = [];
  for (const listed of document.manifests) {
    const { data } = entrySchema.safeParse(listed);
    if (data === undefined) foreign.push(listed);
    else manifests.push(data);
  }
  return { manifests, foreign, document };
}

/** The text of `index.json`. */
export const formatIndex = ({ manifests, foreign, document }: Index): string =>
  JSON.stringify({ ...document, manifests: [...manifests, ...foreign] });

/** The digests that foreign entries name, of whatever algorithm. */
export const foreignDigests = ({ foreign }: Index): string[] =>
  foreign.flatMap((entry) => namesDigest.safeParse(entry).data?.digest ?? []);

const namesDigest = z.object({ digest: z.string() });

export function isIn(entry: Entry, repository: Repository): boolean {
  // The grammars of names and tags are read only where it may be so: there may be very many entries.
  const { [REF_NAME]: refName, [UNTAGGED_IN]: untaggedIn } = entry.annotations ?? {};
  const mayBe = refName?.startsWith(`${repository}:`) ?? untaggedIn === repository;
  return mayBe && membership(entry)?.repository === repository;
}

/**
 * The entries of a repository. The first look at an index sorts all of it, because a check of the whole registry asks for
 * each of its repositories.
 */
export function entriesOf(index: Index, repository: Repository): readonly Entry[] {
  const sorted = byRepository.get(index) ?? sortedByRepository(index);
  byRepository.set(index, sorted);
  return (sorted.get(repository) ?? []).filter((entry) => isIn(entry, repository));
}

/** As long as the index itself is kept; nothing changes one once it is read. */
const byRepository = new WeakMap<Index, ReadonlyMap<string, readonly Entry[]>>();

/** By what stands where a repository's name belongs; whether it is one is asked of few. */
const sortedByRepository = ({ manifests }: Index): ReadonlyMap<string, readonly Entry[]> =>
  Map.groupBy(
    manifests,
    ({ annotations: { [REF_NAME]: refName, [UNTAGGED_IN]: untaggedIn } = {} }) =>
      refName === undefined
        ? (untaggedIn ?? '')
        : refName.slice(0, Math.max(refName.lastIndexOf(':'), 0)),
  );

export const isTagged = (entry: Entry, repository: Repository, tag: Tag): boolean =>
  entry.annotations?.[REF_NAME] === `${repository}:${tag}`;

/** Whether an entry says nothing of where it belongs, as those that oras attaches. */
export const isNowhere = ({ annotations }: Entry): boolean =>
  annotations?.[REF_NAME] === undefined && annotations?.[UNTAGGED_IN] === undefined;

/** Where an entry belongs; undefined for one that is not ours. */
export function membership(entry: Entry): { repository: Repository; tag?: Tag } | undefined {
  const refName = entry.annotations?.[REF_NAME];
  if (refName === undefined) {
    const repository = entry.annotations?.[UNTAGGED_IN] ?? '';
    return isRepository(repository) ? { repository } : undefined;
  }
  const colon = refName.lastIndexOf(':');
  const repository = refName.slice(0, Math.max(colon, 0));
  const tag = refName.slice(colon + 1);
  return isRepository(repository) && isTag(tag) ? { repository, tag } : undefined;
}

export const taggedEntry = (descriptor: Descriptor, repository: Repository, tag: Tag): Entry => ({
  ...plain(descriptor),
  annotations: { [REF_NAME]: `${repository}:${tag}` },
});

export const untaggedEntry = (descriptor: Descriptor, repository: Repository): Entry => ({
  ...plain(descriptor),
  annotations: { [UNTAGGED_IN]: repository },
});

const plain = ({ mediaType, digest, size }: Descriptor): Descriptor => ({
  mediaType,
  digest,
  size,
});
