import type { Caller } from '../identity/caller.ts';
import type { PackRow } from '../model/pack-row.ts';
import { protocolOf, withoutDefaultPort } from '../registry/host.ts';
import { openOtherRegistry } from '../registry/open-other-registry.ts';
import {
  type Digest,
  isDigest,
  type Registry,
  type Repository,
  type Tag,
} from '../registry/registry.ts';
import type { World } from '../world.ts';
import { parseImageReference } from './image-reference.ts';

/** Where an existing image is read from, opened. */
export interface OpenedSource extends AsyncDisposable {
  readonly registry: Registry;
  /** Whether that is the configured registry. */
  readonly isOwn: boolean;
  readonly repository: Repository;
  readonly reference: Tag | Digest;
  /** `packs.repository`: with its host, where that is not the configured registry's own. */
  readonly place: Repository;
  /** What a client pulls. */
  readonly imageRef: string;
}

/** Opens the registry that an image reference names, or answers with why no request is made there. */
export async function openImageSource(
  world: World,
  imageRef: string,
): Promise<OpenedSource | string> {
  const parsed = parseImageReference(imageRef);
  if (typeof parsed === 'string') return parsed;
  const { registry, config } = world;
  const { repository, reference } = parsed;
  const path = `${repository}${isDigest(reference) ? '@' : ':'}${reference}`;
  const named = parsed.host;
  const own = config.registry.url?.protocol ?? '';
  if (named === null || withoutDefaultPort(named, own) === registry.host) {
    return {
      registry,
      isOwn: true,
      repository,
      reference,
      place: repository,
      imageRef: registry.host === null ? path : `${registry.host}/${path}`,
      [Symbol.asyncDispose]: async () => undefined,
    };
  }
  const protocol = protocolOf(named);
  const host = withoutDefaultPort(named, protocol);
  const allowed = config.registry.allowedHosts.map((one) => withoutDefaultPort(one, protocol));
  if (!allowed.includes(host)) {
    return 'names a registry that is not allowed here; an operator can allow it in REGISTRY_ALLOWED_HOSTS';
  }
  const other = await openOtherRegistry(config.registry, host);
  return {
    registry: other,
    isOwn: false,
    repository,
    reference,
    // The column holds both forms; only the one without a host is ever given to the configured registry.
    place: `${host}/${repository}` as Repository,
    imageRef: `${host}/${path}`,
    [Symbol.asyncDispose]: () => other.close(),
  };
}

/**
 * Whether a pack's image is in another registry than the configured one was when the pack was made: an image of ours
 * stays ours when the registry is given another address.
 */
export function isElsewhere({
  repository,
  imageRef,
}: Pick<PackRow, 'repository' | 'imageRef'>): boolean {
  const parsed = parseImageReference(imageRef);
  if (typeof parsed === 'string' || parsed.host === null) return false;
  return `${parsed.host}/${parsed.repository}` === repository;
}

/** Whether a repository of the managed namespace is another org's: for the caller nothing is there. */
export function isForeign(
  { config }: World,
  caller: Caller,
  { isOwn, repository }: OpenedSource,
): boolean {
  const { namespace } = config.registry;
  const isManaged = isOwn && repository.startsWith(`${namespace}/`);
  return isManaged && !repository.startsWith(`${namespace}/${caller.orgSlug}/`);
}
