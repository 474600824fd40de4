import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import type { Descriptor, Digest } from '../registry.ts';
import { LayoutError, permanent } from './failure.ts';

const mismatch = (): LayoutError =>
  new LayoutError(permanent('The content does not match its digest and size.'));

/** Passes content on and fails at its end, or as soon as it is too long, unless it is the descriptor's. */
export function verifyContent(descriptor: Descriptor): Transform {
  const hash = createHash('sha256');
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.byteLength;
      hash.update(chunk);
      if (size > descriptor.size) done(mismatch());
      else done(null, chunk);
    },
    flush(done) {
      const matches =
        size === descriptor.size && `sha256:${hash.digest('hex')}` === descriptor.digest;
      done(matches ? null : mismatch());
    },
  });
}

/** Whether these bytes have this digest. */
export const hasDigest = (bytes: Uint8Array, digest: Digest): boolean =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}` === digest;
