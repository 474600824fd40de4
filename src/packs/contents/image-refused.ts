import type { RegistryFailure } from '../../registry/registry.ts';
import { ArchiveRefused } from '../archive/archive-refused.ts';
import { corruptGzip } from '../archive/tar-source.ts';

/**
 * Ends the reading of an image that is no pack's, with the reason.
 *
 * Thrown only inside this folder, where it unwinds the streams; the exported functions answer with outcomes.
 */
export class ImageRefused extends Error {}

/** Ends it because the registry failed; `failureBehind` finds the failure. */
export class RegistryFailed extends Error {
  readonly failure: RegistryFailure;

  constructor(failure: RegistryFailure) {
    super(failure.detail);
    this.failure = failure;
  }
}

/** What an error says about a layer, as the end of "cannot be read from the image's layer: …"; null: nothing. */
export function faultOfLayer(error: unknown): string | null {
  if (error instanceof ArchiveRefused) return error.problem.message;
  const corrupt = corruptGzip(error);
  if (corrupt !== null) return corrupt.problem.message;
  if (!(error instanceof Error) || !('code' in error)) return null;
  if (error.code === 'ZSTD_error_frameParameter_windowTooLarge') {
    return 'its zstd stream needs more memory than is given to one (compress it without --ultra and --long)';
  }
  return String(error.code).startsWith('ZSTD_') ? 'its zstd stream is corrupt' : null;
}
