import type { Caller } from '../../identity/caller.ts';
import type { DescribedPack } from '../../model/pack-row.ts';
import type { ProblemOf } from '../../outcomes.ts';
import type {
  CallOptions,
  Registry,
  RegistryFailure,
  Repository,
} from '../../registry/registry.ts';
import type { World } from '../../world.ts';
import { mostTarBytes } from '../archive/read-archive.ts';
import { findPack } from '../find-pack.ts';
import { isElsewhere, openImageSource } from '../image-source.ts';
import { type OpenImageOutcome, openImage } from './open-image.ts';
import type { ReadingWorld } from './reading-world.ts';
import { unpackImage } from './unpack-image.ts';
import type { ImageInUse } from './unpacked-images.ts';

/** Milliseconds that one image may take: a registry that sends a byte now and then would keep others waiting. */
const LONGEST_READING_MS = 120_000;
/** Looks at a pack whose image is replaced while it is read. */
const LOOKS = 3;

/**
 * Opens the image of a pack that the caller sees, whatever registry it lies in, as it is pinned by digest. To be
 * disposed when it has been read.
 * @throws RequestRefused where too much is being read at once
 */
export async function openContents(
  world: ReadingWorld,
  caller: Caller,
  pack: DescribedPack,
): Promise<ImageInUse | ProblemOf<'registry_unavailable'>> {
  return withImageOf(world, caller, pack, async (current) => {
    const { imageDigest } = current;
    if (imageDigest === null) return unreadable('its image is not known');
    const outcome = await world.unpacked.use(caller.orgId, imageDigest, () =>
      reading(
        world,
        current,
        { signal: AbortSignal.timeout(LONGEST_READING_MS) },
        async (opened) =>
          opened.kind === 'opened'
            ? unpackImage(opened, mostTarBytes(world.config.maxArchiveBytes))
            : imageProblem(opened),
      ),
    );
    return outcome.kind === 'refused' ? unreadable(`it is ${outcome.why}`) : outcome;
  });
}

/** Does something with the image of a pack, and looks at the pack again where that failed and the image is another one by now. */
export async function withImageOf<Outcome extends { readonly kind: string }>(
  { database }: Pick<World, 'database'>,
  caller: Caller,
  pack: DescribedPack,
  work: (pack: DescribedPack) => Promise<Outcome | RegistryFailure>,
): Promise<Exclude<Outcome, RegistryFailure> | ProblemOf<'registry_unavailable'>> {
  let current = pack;
  for (let look = 1; ; look += 1) {
    const outcome = await work(current);
    // The type cannot tell that a failure is the only outcome of this kind.
    if (outcome.kind !== 'failed') return outcome as Exclude<Outcome, RegistryFailure>;
    const now = look < LOOKS ? await findPack(database, caller, pack.id) : null;
    if (now === null || now.imageDigest === current.imageDigest) {
      return { kind: 'registry_unavailable', failure: outcome as RegistryFailure };
    }
    current = now;
  }
}

/** Opens the image of a pack for as long as `work` takes. */
export async function reading<Outcome>(
  world: World,
  pack: DescribedPack,
  options: CallOptions,
  work: (image: OpenImageOutcome) => Promise<Outcome> | Outcome,
): Promise<Outcome | RegistryFailure> {
  const { imageDigest, imageRef, repository } = pack;
  if (imageDigest === null) return unreadable('its image is not known');
  const opened = isElsewhere(pack) ? await openImageSource(world, imageRef) : null;
  if (typeof opened === 'string') return unreadable(`its image reference ${opened}`);
  await using elsewhere = opened;
  const registry: Registry = elsewhere?.registry ?? world.registry;
  const place: Repository = elsewhere?.repository ?? repository;
  return await work(await openImage(registry, place, imageDigest, options));
}

/** Why an image that was not opened cannot be read. */
export function imageProblem(
  outcome: Exclude<OpenImageOutcome, { kind: 'opened' }>,
): RegistryFailure {
  if (outcome.kind === 'failed') return outcome;
  return unreadable(outcome.kind === 'missing' ? 'its image is not there' : `it is ${outcome.why}`);
}

const unreadable = (detail: string): RegistryFailure => ({
  kind: 'failed',
  reason: 'REGISTRY_ERROR',
  retryable: false,
  detail: `The image of the pack cannot be read: ${detail}.`,
});
