/** Images that were unpacked lately: immutable, so kept by their digest for as long as there is room. */
import { bulkhead } from 'cockatiel';
import type { OrgId } from '../../model/ids.ts';
import { OrgsInTurn } from '../../orgs-in-turn.ts';
import type { Digest } from '../../registry/registry.ts';
import { RequestRefused } from '../../request-refused.ts';
import type { UnpackedImage, UnpackOutcome } from './unpack-image.ts';

/** Bytes on disk, of all images kept. */
const MOST_BYTES = 1024 ** 3;
/** An org that reads images of more than this at once gets no other one; so it may have one of any size. */
const SHARE_OF_AN_ORG = MOST_BYTES / 4;
/** Each is an open file, and has its list of files in memory. */
const MOST_IMAGES = 64;
/** Files of all images kept together: their names are what they cost in memory. */
const MOST_FILES = 100_000;
/** Images being unpacked at once, and for one org: each costs a share of a processor and some megabytes. */
const AT_ONCE = 4;
const FOR_AN_ORG = { atOnce: 2, waiting: 100 };

interface Kept {
  readonly image: UnpackedImage;
  /** How often each org reads it. */
  readonly users: Map<OrgId, number>;
}

/** An image in use: its files stay readable until it is disposed. */
export interface ImageInUse extends Disposable {
  readonly kind: 'in_use';
  readonly image: UnpackedImage;
}

export interface CacheState {
  readonly images: number;
  readonly bytes: number;
}

/** Images unpacked on the disk, kept while they are read and for as long as there is room: each is unpacked once for all. */
export class UnpackedImages {
  /** The one used last comes last. */
  readonly #kept = new Map<Digest, Kept>();
  readonly #unpacking = new Map<Digest, Promise<UnpackOutcome>>();
  readonly #all = bulkhead(AT_ONCE, Number.POSITIVE_INFINITY);
  readonly #orgs = new OrgsInTurn('images', FOR_AN_ORG);
  readonly #onUse: (found: boolean) => void;
  #isClosed = false;

  /** @param onUse told of each use whether the image was there already */
  constructor(onUse: (found: boolean) => void = () => undefined) {
    this.#onUse = onUse;
  }

  /**
   * Gives an image to read from; one that is being unpacked already is waited for.
   * @throws RequestRefused `rate_limited` where the org asks for too much at once, `service_unavailable` where all do
   */
  async use(
    org: OrgId,
    digest: Digest,
    unpack: () => Promise<UnpackOutcome>,
  ): Promise<ImageInUse | Exclude<UnpackOutcome, UnpackedImage>> {
    this.#onUse(this.#kept.has(digest));
    while (!this.#kept.has(digest)) {
      const underWay = this.#unpacking.get(digest);
      // An error concerns only the request that began it; what the registry says holds for all that wait.
      const outcome = await (underWay?.catch(() => null) ?? this.#unpackOnce(org, digest, unpack));
      if (outcome === null) continue;
      if (outcome.kind !== 'unpacked') return outcome;
    }
    return this.#lend(org, digest);
  }

  state(): CacheState {
    const { size } = this.#kept;
    return { images: size, bytes: this.#sum(({ image }) => image.contents.length) };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#unpacking.values());
    await this.#evict({ images: 0, bytes: 0, files: 0 });
  }

  #lend(org: OrgId, digest: Digest): ImageInUse {
    const kept = this.#kept.get(digest);
    if (kept === undefined) throw new Error('an image just unpacked is not there');
    // What it reads already takes no more room.
    if (!kept.users.has(org)) this.#refuseBeyondShare(org);
    this.#kept.delete(digest);
    this.#kept.set(digest, kept);
    kept.users.set(org, (kept.users.get(org) ?? 0) + 1);
    let isOver = false;
    return {
      kind: 'in_use',
      image: kept.image,
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        const left = (kept.users.get(org) ?? 0) - 1;
        if (left > 0) kept.users.set(org, left);
        else kept.users.delete(org);
        void this.#evict(this.#isClosed ? { images: 0, bytes: 0, files: 0 } : BOUNDS);
      },
    };
  }

  async #unpackOnce(
    org: OrgId,
    digest: Digest,
    unpack: () => Promise<UnpackOutcome>,
  ): Promise<UnpackOutcome> {
    const unpacking = this.#orgs
      .run(org, () =>
        this.#all.execute(async () => {
          this.#refuseBeyondShare(org);
          const inUse = this.#bytesOf(({ users }) => users.size > 0);
          if (inUse > MOST_BYTES || this.#isClosed) throw busy();
          const outcome = await unpack();
          if (outcome.kind === 'unpacked')
            this.#kept.set(digest, { image: outcome, users: new Map() });
          await this.#evict(BOUNDS, digest);
          return outcome;
        }),
      )
      .finally(() => this.#unpacking.delete(digest));
    this.#unpacking.set(digest, unpacking);
    return unpacking;
  }

  /** Closes what nobody reads, the one used longest ago first, until the rest is within bounds. */
  async #evict(bounds: typeof BOUNDS, except?: Digest): Promise<void> {
    const closing: Promise<void>[] = [];
    let { images, bytes } = this.state();
    let files = this.#sum(({ image }) => image.files.length);
    for (const [digest, { image, users }] of this.#kept) {
      if (images <= bounds.images && bytes <= bounds.bytes && files <= bounds.files) break;
      if (users.size > 0 || digest === except) continue;
      this.#kept.delete(digest);
      images -= 1;
      bytes -= image.contents.length;
      files -= image.files.length;
      closing.push(image.contents.close());
    }
    await Promise.all(closing);
  }

  #refuseBeyondShare(org: OrgId): void {
    const bytes = this.#bytesOf(({ users }) => users.has(org));
    if (bytes <= SHARE_OF_AN_ORG) return;
    const message = `Your org is reading packs of ${bytes} bytes here, and may begin no other above ${SHARE_OF_AN_ORG}; read those answers to their end, or close them, and try again.`;
    throw new RequestRefused('rate_limited', message);
  }

  #bytesOf(which: (kept: Kept) => boolean): number {
    return this.#sum((kept) => (which(kept) ? kept.image.contents.length : 0));
  }

  #sum(of: (kept: Kept) => number): number {
    return [...this.#kept.values()].reduce((sum, kept) => sum + of(kept), 0);
  }
}

const BOUNDS = { images: MOST_IMAGES, bytes: MOST_BYTES, files: MOST_FILES };

const busy = (): RequestRefused =>
  new RequestRefused(
    'service_unavailable',
    'Too many packs are being read at once; try again in a moment.',
  );
