import { acrossOrgs } from '../database/cross-org.ts';
import type { Database } from '../database/database.ts';
import type { PackId } from '../model/ids.ts';
import { Pack } from '../model/pack.entity.ts';
import { rowsOf } from '../model/rows-of.ts';
import { inParallel } from '../registry/in-parallel.ts';
import type { Digest, Registry } from '../registry/registry.ts';
import { CheckEnded, said } from './check-ended.ts';
import type { Finding } from './finding.ts';

/** Packs read at a time. */
const PAGE = 1_000;
/** Packs whose images are asked for at the same time. */
const AT_ONCE = 8;

export interface PacksWalk {
  /** Leaves out the packs up to this one. */
  readonly after: PackId | null;
  readonly signal: AbortSignal | undefined;
  /** Told of a pack once it and all before it are done. */
  readonly reached: (pack: PackId) => void;
}

/**
 * ACTIVE uploads whose image the registry does not know, each asked for by its digest: what has no tag is in no listing.
 * @throws CheckEnded
 */
export async function imagesGone(
  { database, registry }: { readonly database: Database; readonly registry: Registry },
  { after, signal, reached }: PacksWalk,
  onFinding: (finding: Finding) => Promise<void>,
): Promise<void> {
  await inParallel(
    activeUploads(database, after ?? FIRST),
    AT_ONCE,
    async (pack) => {
      if (signal?.aborted) throw new CheckEnded({ kind: 'interrupted' });
      const found = said(await registry.readManifest(pack.repository, pack.imageDigest));
      if (found.kind === 'found' || !(await isStillActive(database, pack))) return;
      await onFinding(imageGone(pack));
    },
    ({ id }) => reached(id),
  );
}

const uploadRows = rowsOf(Pack, 'p', ['id', 'name', 'version', 'repository', 'imageDigest']);

/** What else is read of an upload. */
interface Beside {
  readonly imageDigest: Digest;
  readonly slug: string | null;
  readonly roles: number;
}

type Upload = ReturnType<typeof uploadRows.ofRecord> & Beside;

/** The best remedy first: it keeps the pack's id and its roles. */
function imageGone({ id, slug, name, version, repository, imageDigest, roles }: Upload): Finding {
  const again = `replacePackArchive with the archive of ${name} ${version} brings it back, roles and all`;
  const held = `${roles} ${roles === 1 ? 'role has' : 'roles have'} it: detachPackFromRoles, then deletePack, ends it`;
  return {
    invariant: 'image_gone',
    org: slug,
    subject: id,
    detail: `${name} is ACTIVE, but the registry does not know ${imageDigest}`,
    // Nobody can replace or delete a pack of the platform.
    advice:
      slug === null
        ? `copy the image with that digest to ${repository} again`
        : `${again}; or ${roles === 0 ? 'deletePack ends it' : held}`,
  };
}

const FIRST = '00000000-0000-0000-0000-000000000000';

async function* activeUploads(database: Database, from: string): AsyncGenerator<Upload> {
  for (let after = from; ; ) {
    const records = await database.query<Beside>(
      `select ${acrossOrgs('consistency')} ${uploadRows.columns}, o.slug,
         (select count(*)::int from role_packs a where a.pack_id = p.id) as roles
       from packs p left join orgs o on o.id = p.org_id
       where p.image_origin = 'UPLOAD' and p.status = 'ACTIVE' and p.image_digest is not null
         and p.id > $1::uuid order by p.id limit ${PAGE}`,
      [after],
    );
    const packs = records.map(uploadRows.ofRecord);
    yield* packs;
    const last = packs.at(-1);
    if (last === undefined || packs.length < PAGE) return;
    after = last.id;
  }
}

/** A deletion marks the row before it purges: a pack that is ACTIVE after its image was missed has really lost it. */
async function isStillActive(database: Database, pack: Upload): Promise<boolean> {
  const rows = await database.query(
    `select ${acrossOrgs('consistency')} p.id from packs p
     where p.id = $1::uuid and p.status = 'ACTIVE' and p.image_digest = $2`,
    [pack.id, pack.imageDigest],
  );
  return rows.length === 1;
}
