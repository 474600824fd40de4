/** What all sharers together were told about the packs that they fight over. */
import type { Answer } from './api.ts';
import { type Known, type Ledger, newLedger } from './ledger.ts';

export interface SharedPack {
  readonly id: string;
  readonly name: string;
  readonly digest: string;
  /** Somebody has sent a deletion, whether it was answered or not. */
  deletionBegun: boolean;
  /** An answer said so: whatever is asked from then on must say it too. */
  gone: boolean;
  /** Roles that were told something about it; each belongs to one sharer. */
  readonly holders: Map<string, Known<boolean>>;
}

export class Shelf {
  readonly names: readonly [string, ...string[]] = ['shared-1', 'shared-2', 'shared-3'];
  readonly #packs = new Map<string, SharedPack>();
  readonly #deleted = new Set<string>();
  readonly #contradictions: string[] = [];
  readonly #registry: URL;

  /** @param registry past all troubles of the network */
  constructor(registry: URL) {
    this.#registry = registry;
  }

  /** The pack of a name that is likeliest to be there; ids are in the order of creation. */
  current(name: string): SharedPack | undefined {
    return [...this.#packs.values()].findLast((pack) => pack.name === name && !pack.gone);
  }

  /** By the answer to its upload, or by its name: whoever reads may find it before its uploader is answered. */
  found({ id, name, imageDigest }: { id: string; name: string; imageDigest: string }): void {
    if (this.#packs.has(id)) return;
    this.#packs.set(id, {
      id,
      name,
      digest: imageDigest,
      deletionBegun: false,
      gone: false,
      holders: new Map(),
    });
  }

  /** @param wasGone whether an answer had said so before this was asked */
  deletionAnswered(pack: SharedPack, answer: Answer | null, wasGone: boolean): void {
    switch (answer?.__typename) {
      case 'DeletedPack':
        if (wasGone) this.#contradict(pack, 'deleted after it was gone');
        for (const [role, holds] of pack.holders) {
          if (holds === true) this.#contradict(pack, `deleted while ${role} held it`);
        }
        if (this.#deleted.has(pack.id)) this.#contradict(pack, 'deleted twice');
        this.#deleted.add(pack.id);
        pack.gone = true;
        break;
      case 'NotFound':
        this.notFound(pack);
        break;
      case 'PackInUse':
        if (wasGone) this.#contradict(pack, 'in use after it was gone');
        break;
    }
  }

  attachAnswered(pack: SharedPack, role: string, answer: Answer | null, wasGone: boolean): void {
    switch (answer?.__typename) {
      case 'AttachedPack':
        if (wasGone || pack.gone) this.#contradict(pack, 'attached and gone');
        pack.holders.set(role, true);
        break;
      case 'PackBeingDeleted':
        if (!pack.deletionBegun) this.#contradict(pack, 'being deleted, but nobody asked for it');
        break;
      case 'NotFound':
        this.notFound(pack);
        break;
    }
  }

  /** @param detacher a role that was about to let it go */
  notFound(pack: SharedPack, detacher?: string): void {
    if (!pack.deletionBegun) this.#contradict(pack, 'not found, but nobody deleted it');
    for (const [role, holds] of pack.holders) {
      if (holds === true) this.#contradict(pack, `not found, but ${role} holds it`);
    }
    if (detacher !== undefined) pack.holders.set(detacher, false);
    pack.gone = true;
  }

  /** Asks the registry itself: the image of a pack that nobody has begun to delete must be there. */
  async look(pack: SharedPack): Promise<void> {
    const path = `/v2/packs/default/${pack.name}/manifests/${pack.digest}`;
    const headers = { accept: 'application/vnd.oci.image.manifest.v1+json' };
    const signal = AbortSignal.timeout(2_000);
    const answer = await fetch(new URL(path, this.#registry), { headers, signal })
      .then(async (response) => ({ status: response.status, body: await response.text() }))
      // It is down, or stands still: nothing can be seen.
      .catch(() => null);
    const isMissing = answer?.status === 404 && answer.body.includes('UNKNOWN');
    if (isMissing && !pack.deletionBegun) {
      this.#contradict(pack, 'its image is gone, but nobody deleted it');
    }
  }

  /** What must be true in the end, as every client's ledger says it. */
  ledger(): Ledger {
    const packs = [...this.#packs.values()].map(({ holders, gone, deletionBegun, ...pack }) => {
      const holds = [...holders.values()];
      const undecided = holds.includes('unknown') ? ('unknown' as const) : false;
      return {
        ...pack,
        deletionBegun,
        state: gone
          ? ('deleted' as const)
          : deletionBegun
            ? ('unknown' as const)
            : ('there' as const),
        attached: gone ? false : holds.includes(true) || undecided,
      };
    });
    return { ...newLedger(), packs, contradictions: this.#contradictions };
  }

  #contradict({ name, id }: SharedPack, what: string): void {
    this.#contradictions.push(`${name} (${id}): ${what}`);
  }
}
