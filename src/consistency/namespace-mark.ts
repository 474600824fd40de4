/**
 * Says which database a namespace of the registry belongs to: a tiny image in a repository of its own, which names the
 * database.
 *
 * Another database on the same registry and namespace would find an orphan in every image of this one. Its identity is
 * its first org, which is made with it and never goes; so a copy of the database, restored or promoted, has the same.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { acrossOrgs } from '../database/cross-org.ts';
import type { Database } from '../database/database.ts';
import { placeOfMark } from '../registry/mark-place.ts';
import { type Blob, type Image, isDigest, type RegistryFailure } from '../registry/registry.ts';
import type { World } from '../world.ts';
import { manifestOf } from './belongs-to-pack.ts';

export type NamespaceMark =
  /** `null`: nobody has marked it yet. */
  { readonly kind: 'marked'; readonly by: 'us' | 'another' | null } | RegistryFailure;

/** What to do where another database has marked it. */
export const FOREIGN_NAMESPACE =
  'another database has its packs there, and every image would look like an orphan; choose another namespace for this ' +
  'one, or, where that database no longer exists, `npm run check-consistency -- --repair --take-over`';

const TYPE = 'application/vnd.packgateway.namespace.v1';
const DATABASE = 'dev.packgateway.database';

/** Reads the mark; writes nothing. */
export async function readMark({
  database,
  registry,
  config,
}: Pick<World, 'config' | 'database' | 'registry'>): Promise<NamespaceMark> {
  const { repository, tag } = placeOfMark(config.registry.namespace);
  const read = await registry.readManifest(repository, tag);
  if (read.kind === 'failed') return read;
  if (read.kind === 'missing') return { kind: 'marked', by: null };
  const owner = manifestOf(read)?.annotations?.[DATABASE];
  return { kind: 'marked', by: owner === (await identityOf(database)) ? 'us' : 'another' };
}

/** Marks the namespace where nobody has; answers whose it is. Of two databases that do so at once the last one has it. */
export async function markNamespace(
  world: Pick<World, 'config' | 'database' | 'registry'>,
  { takeOver = false } = {},
): Promise<NamespaceMark> {
  const found = await readMark(world);
  if (found.kind === 'failed' || found.by === 'us' || (found.by === 'another' && !takeOver)) {
    return found;
  }
  const { database, registry, config } = world;
  const identity = await identityOf(database);
  if (identity === null) return found;
  const { repository, tag } = placeOfMark(config.registry.namespace);
  const pushed = await registry.push(repository, tag, markOf(identity));
  return pushed.kind === 'failed' ? pushed : readMark(world);
}

/** Null: the database has no org yet, so it was never started. */
async function identityOf(database: Database): Promise<string | null> {
  const [row] = await database.query<{ id: string }>(
    `select ${acrossOrgs('consistency')} id from orgs order by created_at, id limit 1`,
    [],
  );
  return row?.id ?? null;
}

/** Of the same shape as a pack's image, so that every registry takes it; its one layer is an empty tar. */
function markOf(identity: string): Image {
  const empty = Buffer.alloc(1_024);
  const layer = blobOf('application/vnd.oci.image.layer.v1.tar+gzip', gzipSync(empty));
  const config = blobOf('application/vnd.oci.image.config.v1+json', {
    architecture: 'amd64',
    config: {},
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digestOf(empty)] },
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = blobOf(mediaType, {
    schemaVersion: 2,
    mediaType,
    artifactType: TYPE,
    config: config.descriptor,
    layers: [layer.descriptor],
    annotations: { [DATABASE]: identity },
  });
  return {
    manifest: manifest.bytes,
    descriptor: manifest.descriptor,
    blobs: [config, layer],
  };
}

function blobOf(mediaType: string, content: object): Blob & { readonly bytes: Uint8Array } {
  const bytes = content instanceof Uint8Array ? content : Buffer.from(JSON.stringify(content));
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  return { descriptor, bytes, open: () => Readable.from([bytes]) };
}

function digestOf(bytes: Uint8Array) {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (!isDigest(digest)) throw new Error(`not a SHA-256 in hex: ${digest}`);
  return digest;
}
