/**
 * `index.json` of the layout: which manifests there are, and which repository and tag each belongs to.
 *
 * OCI image-layout specification, "index.json File": a tag is the annotation `org.opencontainers.image.ref.name` on a
 * descriptor; ours is `<repository>:<tag>`, because one layout holds all repositories. A manifest whose tag moved on
 * has `io.packgateway.repository` instead, so that it still belongs to its repository and can be purged by digest.
 * Entries with neither are kept and never read, and so is what is no descriptor that we could read (another digest
 * algorithm, no size).
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

/** What the document says, in its order. */
export interface Document {
  readonly manifests: readonly Entry[];
  /** What others wrote into the list of manifests and we cannot read. */
  readonly foreign: readonly unknown[];
  /** Everything beside the list. */
  readonly rest: object;
}

export const emptyDocument: Document = {
  manifests: [],
  foreign: [],
  rest: { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json' },
};

/** The document's content, or undefined when it is no image index. */
export function parseDocument(text: string): Document | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { data } = indexSchema.safeParse(json);
  if (data === undefined) return undefined;
  const { manifests: listed, ...rest } = data;
  const manifests: Entry[] = [];
  const foreign: unknown[] = [];
  for (const one of listed) {
    const entry = entrySchema.safeParse(one).data;
    if (entry === undefined) foreign.push(one);
    else manifests.push(entry);
  }
  return { manifests, foreign, rest };
}

/** The digests that foreign entries name, of whatever algorithm. */
export const digestsOf = (foreign: readonly unknown[]): string[] =>
  foreign.flatMap((entry) => namesDigest.safeParse(entry).data?.digest ?? []);

const namesDigest = z.object({ digest: z.string() });

export function isIn(entry: Entry, repository: Repository): boolean {
  // The grammars of names and tags are read only where it may be so: there may be very many entries.
  const { [REF_NAME]: refName, [UNTAGGED_IN]: untaggedIn } = entry.annotations ?? {};
  const mayBe = refName?.startsWith(`${repository}:`) ?? untaggedIn === repository;
  return mayBe && membership(entry)?.repository === repository;
}

/** What stands where the name of an entry's repository belongs; whether it is one is for `isIn` to say. */
export function placeOf({ annotations }: Entry): string {
  const refName = annotations?.[REF_NAME];
  return refName === undefined
    ? (annotations?.[UNTAGGED_IN] ?? '')
    : refName.slice(0, Math.max(refName.lastIndexOf(':'), 0));
}

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
