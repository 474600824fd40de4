import { join } from 'node:path';
import type { Digest } from '../registry.ts';

export type Paths = ReturnType<typeof pathsIn>;

/** Where a layout in `directory` has its files. */
export function pathsIn(directory: string) {
  const own = join(directory, '.pack-gateway');
  return {
    version: join(directory, 'oci-layout'),
    index: join(directory, 'index.json'),
    blobs: join(directory, 'blobs', 'sha256'),
    lock: join(own, 'lock'),
    reserve: join(own, 'reserve'),
    /** Says that this is the layout that was made, not an empty directory in its place. */
    mark: join(own, 'layout'),
    staging: join(own, 'staging'),
  };
}

export const blobIn = ({ blobs }: Paths, digest: Digest): string =>
  join(blobs, digest.slice('sha256:'.length));
