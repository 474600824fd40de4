import { acrossOrgs } from '../database/cross-org.ts';
import type { Database } from '../database/database.ts';
import type { PackId } from '../model/ids.ts';
import { Pack } from '../model/pack.entity.ts';
import { rowsOf } from '../model/rows-of.ts';
import { parseReferences } from '../registry/manifest-references.ts';
import {
  type Digest,
  failureBehind,
  type Registry,
  type RegistryFailure,
  type Repository,
} from '../registry/registry.ts';

export interface PulledSample {
  readonly pulled: number;
  /** Packs whose image does not come back whole, and why. */
  readonly broken: readonly {
    readonly packId: PackId;
    readonly name: string;
    readonly why: string;
  }[];
}

const sampleRows = rowsOf(Pack, 'p', ['id', 'name', 'repository', 'imageDigest']);

/** Reads images of uploaded packs to their last byte, each checked against its digest: what a listing does not prove. */
export async function pullSample(
  { database, registry }: { readonly database: Database; readonly registry: Registry },
  size: number,
): Promise<PulledSample> {
  const packs = await database.query<{ imageDigest: Digest }>(
    `select ${acrossOrgs('consistency')} ${sampleRows.columns} from packs p
     where p.image_origin = 'UPLOAD' and p.status = 'ACTIVE' and p.image_digest is not null
     order by random() limit $1`,
    [size],
  );
  const broken: PulledSample['broken'][number][] = [];
  for (const { id, name, repository, imageDigest } of packs.map(sampleRows.ofRecord)) {
    const why = await faultOf(registry, repository, imageDigest);
    if (why !== null) broken.push({ packId: id, name, why });
  }
  return { pulled: packs.length - broken.length, broken };
}

/** Null: manifest and blobs are all there. */
async function faultOf(
  registry: Registry,
  repository: Repository,
  digest: Digest,
): Promise<string | null> {
  const read = await registry.readManifest(repository, digest);
  if (read.kind !== 'found') return inWords(read, 'its manifest');
  // An uploaded pack is one image, never an index.
  for (const blob of parseReferences(read.manifest)?.blobs ?? []) {
    const opened = await registry.readBlob(repository, blob);
    if (opened.kind !== 'found') return inWords(opened, blob.digest);
    try {
      for await (const _ of opened.content);
    } catch (error) {
      return failureBehind(error)?.detail ?? 'its content is not what its digest says';
    }
  }
  return null;
}

const inWords = (outcome: { readonly kind: 'missing' } | RegistryFailure, what: string): string =>
  outcome.kind === 'failed' ? outcome.detail : `${what} is not there`;
