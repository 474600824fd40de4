import { acrossOrgs } from '../database/cross-org.ts';
import type { Database } from '../database/database.ts';
import { packIds } from '../model/ids.ts';
import type {
  Digest,
  Registry,
  RegistryFailure,
  Repository,
  StoredImage,
} from '../registry/registry.ts';
import { belongsToPack, withChildren } from './belongs-to-pack.ts';
import type { Finding } from './finding.ts';
import { imageKey, packDigests } from './pack-digests.ts';

/** Packs read at a time. */
const PAGE = 1_000;

/**
 * What database and registry say of each other. The service may be at work meanwhile: whatever looks wrong is looked
 * at again, in the order in which uploads and deletions change the two, before it is called a finding.
 */
export async function checkImages(
  { database, registry }: { readonly database: Database; readonly registry: Registry },
  namespace: string,
): Promise<Finding[] | RegistryFailure> {
  const listing = await registry.listImages(namespace);
  if (listing.kind === 'failed') return listing;
  const orphans = await orphanedImages(database, registry, listing.images);
  if ('kind' in orphans) return orphans;
  const gone = await imagesGone(database, registry, listing.images);
  if ('kind' in gone) return gone;
  return [...gone, ...orphans];
}

async function orphanedImages(
  database: Database,
  registry: Registry,
  images: readonly StoredImage[],
): Promise<Finding[] | RegistryFailure> {
  const findings: Finding[] = [];
  for (const [repository, stored] of Map.groupBy(images, (image) => image.repository)) {
    const { held, leased } = await packDigests(database, repository);
    // An upload has its lease from before its push until its row is there: what it pushed is no orphan yet.
    if (leased) continue;
    const unclaimed = stored.filter(({ digest }) => !held.has(digest));
    if (unclaimed.length === 0) continue;
    const kept = await withChildren(registry, repository, held);
    if ('kind' in kept) return kept;
    const tagsOf = new Map(stored.map(({ digest, tags }) => [digest, tags]));
    for (const image of unclaimed) {
      const belongs = await belongsToPack(registry, image, kept, tagsOf);
      if (typeof belongs !== 'boolean') return belongs;
      if (belongs) continue;
      findings.push({
        invariant: 'orphaned_image',
        org: null,
        subject: imageKey(repository, image.digest),
        detail: `no pack has it${image.tags.length === 0 ? '' : `; tagged ${image.tags.join(', ')}`}`,
        remedy: { kind: 'purge', repository, digest: image.digest },
      });
    }
  }
  return findings;
}

async function imagesGone(
  database: Database,
  registry: Registry,
  images: readonly StoredImage[],
): Promise<Finding[] | RegistryFailure> {
  const listed = new Set(images.map((image) => imageKey(image.repository, image.digest)));
  const findings: Finding[] = [];
  for (let after = FIRST; ; ) {
    const packs = await activeUploads(database, after);
    for (const pack of packs) {
      if (listed.has(imageKey(pack.repository, pack.image_digest))) continue;
      // Uploaded since, or without a tag; the registry is asked for this very one.
      const found = await registry.readManifest(pack.repository, pack.image_digest);
      if (found.kind === 'failed') return found;
      if (found.kind === 'found' || !(await isStillActive(database, pack))) continue;
      findings.push({
        invariant: 'image_gone',
        org: pack.slug,
        subject: packIds.of(pack.id),
        detail: `${pack.name} is ACTIVE, but the registry does not know ${pack.image_digest}`,
      });
    }
    const last = packs.at(-1);
    if (last === undefined || packs.length < PAGE) return findings;
    after = last.id;
  }
}

interface UploadRecord {
  readonly id: string;
  readonly slug: string | null;
  readonly name: string;
  readonly repository: Repository;
  readonly image_digest: Digest;
}

const FIRST = '00000000-0000-0000-0000-000000000000';

const activeUploads = (database: Database, after: string): Promise<UploadRecord[]> =>
  database.query(
    `select ${acrossOrgs('consistency')} p.id, o.slug, p.name, p.repository, p.image_digest
     from packs p left join orgs o on o.id = p.org_id
     where p.image_origin = 'UPLOAD' and p.status = 'ACTIVE' and p.image_digest is not null
       and p.id > $1 order by p.id limit ${PAGE}`,
    [after],
  );

/** A deletion marks the row before it purges: a pack that is ACTIVE after its image was missed has really lost it. */
async function isStillActive(database: Database, pack: UploadRecord): Promise<boolean> {
  const rows = await database.query(
    `select ${acrossOrgs('consistency')} p.id from packs p
     where p.id = $1 and p.status = 'ACTIVE' and p.image_digest = $2`,
    [pack.id, pack.image_digest],
  );
  return rows.length === 1;
}
