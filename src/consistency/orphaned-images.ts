import type { Database } from '../database/database.ts';
import { PACK_ARTIFACT_TYPE } from '../packs/archive/build-image.ts';
import type { Registry, Repository, StoredImage } from '../registry/registry.ts';
import { belongsToPack, manifestOf, withChildren } from './belongs-to-pack.ts';
import { CheckEnded, said } from './check-ended.ts';
import type { Finding } from './finding.ts';
import { imageKey, packDigests } from './pack-digests.ts';

/**
 * The images of a repository that no pack has. The service may be at work meanwhile: uploads and deletions are told by
 * their lease, which is looked at in the same moment as the packs.
 * @throws CheckEnded
 */
export async function orphanedImages(
  database: Database,
  registry: Registry,
  repository: Repository,
  stored: readonly StoredImage[],
): Promise<Finding[]> {
  const { held, leased } = await packDigests(database, repository);
  // An upload has its lease from before its push until its row is there: what it pushed is no orphan yet.
  if (leased) return [];
  const unclaimed = stored.filter(({ digest }) => !held.has(digest));
  if (unclaimed.length === 0) return [];
  const kept = await withChildren(registry, repository, held);
  if ('kind' in kept) throw new CheckEnded(kept);
  const tagsOf = new Map(stored.map(({ digest, tags }) => [digest, tags]));
  const findings: Finding[] = [];
  for (const image of unclaimed) {
    const belongs = await belongsToPack(registry, image, kept, tagsOf);
    if (typeof belongs !== 'boolean') throw new CheckEnded(belongs);
    if (!belongs) findings.push(await orphan(registry, image));
  }
  return findings;
}

async function orphan(registry: Registry, image: StoredImage): Promise<Finding> {
  const { repository, digest, tags } = image;
  const pack = await packIn(registry, image);
  const told = tags.length === 0 ? [] : [`tagged ${tags.join(', ')}`];
  return {
    invariant: 'orphaned_image',
    org: null,
    subject: imageKey(repository, digest),
    detail: ['no pack has it', ...(pack === null ? [] : [`it holds ${pack}`]), ...told].join('; '),
    advice:
      pack === null
        ? '--repair removes it'
        : 'the last copy, if the upload was acknowledged and its row was lost: upload the archive again, or ' +
          'createPackFromImage; --repair removes it only with --discard-packs',
    remedy: { kind: 'purge', repository, digest, isPack: pack !== null },
  };
}

/** Name and version of the pack that we once made the image of; null: it is no such image. */
async function packIn(
  registry: Registry,
  { repository, digest }: StoredImage,
): Promise<string | null> {
  const manifest = manifestOf(said(await registry.readManifest(repository, digest)));
  if (manifest?.artifactType !== PACK_ARTIFACT_TYPE) return null;
  const { annotations = {} } = manifest;
  return `${annotations['org.opencontainers.image.title']} ${annotations['org.opencontainers.image.version']}`;
}
