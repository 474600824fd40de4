/** How a disk's refusals become the port's failures: our own sentences, never a path nor an errno. */
import type { RegistryFailure } from '../registry.ts';

/** Carries a failure through the adapter to its edge, where it becomes the outcome. */
export class LayoutError extends Error {
  readonly failure: RegistryFailure;

  constructor(failure: RegistryFailure, options?: ErrorOptions) {
    super(failure.detail, options);
    this.failure = failure;
  }
}

/** Nothing changes until somebody repairs what the detail names. */
export const permanent = (detail: string): RegistryFailure => ({
  kind: 'failed',
  reason: 'REGISTRY_ERROR',
  retryable: false,
  detail,
});

/** Another try may help. */
export const passing = (detail: string): RegistryFailure => ({
  kind: 'failed',
  reason: 'REGISTRY_ERROR',
  retryable: true,
  detail,
});

export const timedOut = (detail: string): RegistryFailure => ({
  kind: 'failed',
  reason: 'TIMEOUT',
  retryable: true,
  detail,
});

export const damagedIndex = (): LayoutError =>
  new LayoutError(
    permanent(
      'The index of the embedded registry (index.json) is missing or damaged, and nothing was changed: ' +
        'restore the registry directory from a backup.',
    ),
  );

/** The layout would be a new one although the database knows images in it. */
export class ImagesLost extends LayoutError {
  /** Where an operator puts a file that says that the images are permanently lost. */
  readonly mark: string;

  constructor(mark: string) {
    super(
      permanent('The directory of the embedded registry is empty: mount or restore its volume.'),
    );
    this.mark = mark;
  }
}

const full = passing(
  'The disk is full: free space on the volume of the embedded registry, then try again.',
);
const forbidden = permanent(
  'The embedded registry cannot be used: its directory is read-only or belongs to another user.',
);
const broken = passing('The disk of the embedded registry reported an error.');

const byErrno = new Map<unknown, RegistryFailure>([
  ['ENOSPC', full],
  ['EDQUOT', full],
  ['EFBIG', full],
  ['EACCES', forbidden],
  ['EPERM', forbidden],
  ['EROFS', forbidden],
  ['ENOTDIR', permanent('A file is where the directory of the embedded registry should be.')],
  ['EEXIST', permanent('A file is where the directory of the embedded registry should be.')],
]);
// SQLite result codes as the file lock meets them: PERM, READONLY, FULL, CANTOPEN.
const byLockCode = new Map<unknown, RegistryFailure>([
  [3, forbidden],
  [8, forbidden],
  [13, full],
  [14, forbidden],
]);

/** The failure behind a thrown error; undefined when it is a bug and not about the disk. */
export function failureOf(error: unknown, signal?: AbortSignal): RegistryFailure | undefined {
  if (error instanceof LayoutError) return error.failure;
  if (signal?.aborted) return timedOut('The call was ended before the embedded registry was done.');
  if (!(error instanceof Error)) return undefined;
  // The low byte is the result code; the rest only refines it.
  if ('errcode' in error) return byLockCode.get(Number(error.errcode) & 0xff) ?? broken;
  // What Node's recursive mkdir says of a read-only file system, where mkdir itself says EROFS.
  if ('syscall' in error && error.syscall === 'mkdir' && isAbsent(error)) return forbidden;
  if ('syscall' in error && 'code' in error) return byErrno.get(error.code) ?? broken;
  return undefined;
}

/** Whether an error says that a file is not there. */
export const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Whether an error says that there is no room for what was written. */
export const isFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && byErrno.get(error.code) === full;
