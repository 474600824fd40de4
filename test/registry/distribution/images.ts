/** Small images for the tests, and their upload without the code under test. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type Blob,
  type Descriptor,
  type Digest,
  type Image,
  isDigest,
  isRepository,
  isTag,
  type Repository,
  type Tag,
} from '../../../src/registry/registry.ts';

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';

export function digest(value: string): Digest {
  if (!isDigest(value)) throw new Error(`no digest: ${value}`);
  return value;
}
export function repository(value: string): Repository {
  if (!isRepository(value)) throw new Error(`no repository: ${value}`);
  return value;
}
export function tag(value: string): Tag {
  if (!isTag(value)) throw new Error(`no tag: ${value}`);
  return value;
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return digest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

export function blobOf(bytes: Buffer, mediaType: string): Blob {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  return { descriptor, open: () => Readable.from([bytes]) };
}

/** An image whose one layer holds `content` (gzip of nothing sensible: only skopeo's copy looks at it). */
export function imageOf(content: string | Buffer, subject?: Descriptor): Image {
  const layer = blobOf(Buffer.from(content), 'application/vnd.oci.image.layer.v1.tar');
  const config = blobOf(
    Buffer.from(
      JSON.stringify({
        architecture: 'amd64',
        os: 'linux',
        rootfs: { type: 'layers', diff_ids: [layer.descriptor.digest] },
      }),
    ),
    'application/vnd.oci.image.config.v1+json',
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: config.descriptor,
    layers: [layer.descriptor],
    ...(subject ? { subject } : {}),
  };
  return withBlobs(manifest, MANIFEST, [config, layer]);
}

export function indexOf(...children: Image[]): Image {
  const manifests = children.map(({ descriptor }) => descriptor);
  return withBlobs({ schemaVersion: 2, mediaType: INDEX, manifests }, INDEX, []);
}

function withBlobs(content: object, mediaType: string, blobs: Blob[]): Image {
  const manifest = Buffer.from(JSON.stringify(content));
  return {
    manifest,
    descriptor: { mediaType, digest: digestOf(manifest), size: manifest.length },
    blobs,
  };
}

/** The tag that OCI Distribution's referrers tag schema and cosign derive from a digest. */
export function referrerTag(image: Image, suffix = ''): Tag {
  return tag(image.descriptor.digest.replace(':', '-') + suffix);
}

/** Uploads by tag or, without one, by digest. */
export async function upload(
  url: URL,
  name: Repository,
  image: Image,
  ...tags: Tag[]
): Promise<Image> {
  for (const { descriptor, open } of image.blobs) {
    const started = await fetch(new URL(`/v2/${name}/blobs/uploads/`, url), { method: 'POST' });
    const location = new URL(started.headers.get('location') ?? '', url);
    location.searchParams.set('digest', descriptor.digest);
    const body = Buffer.concat(await open().toArray());
    const put = await fetch(location, { method: 'PUT', body });
    if (put.status !== 201) throw new Error(`blob not stored: ${put.status}`);
  }
  const references = tags.length > 0 ? tags : [image.descriptor.digest];
  for (const reference of references) {
    const put = await fetch(new URL(`/v2/${name}/manifests/${reference}`, url), {
      method: 'PUT',
      headers: { 'content-type': image.descriptor.mediaType },
      body: Buffer.from(image.manifest),
    });
    if (put.status !== 201) throw new Error(`manifest not stored: ${await put.text()}`);
  }
  return image;
}

/** Whether the registry still serves the manifest. */
export async function isThere(url: URL, name: Repository, reference: Image | Tag) {
  const at = typeof reference === 'string' ? reference : reference.descriptor.digest;
  const response = await fetch(new URL(`/v2/${name}/manifests/${at}`, url), {
    headers: { accept: `${MANIFEST}, ${INDEX}` },
  });
  await response.arrayBuffer();
  return response.status === 200;
}
