/** What this process prints, written at once: whoever prints learns whether it arrived, and nothing is raised later. */
import { writeSync } from 'node:fs';

const STDOUT = 1;
/** Before a pipe is tried again that is full, and was made not to wait by whoever holds its other end. */
const PAUSE_MS = 10;
const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));

export type Printed =
  | { readonly kind: 'printed' }
  | {
      readonly kind: 'refused';
      /** What was not written; less than all of it where a disk has filled up on the way. */
      readonly left: Uint8Array;
      /** What the system says, as ENOSPC, EPIPE or EIO. */
      readonly why: string;
    };

/** Writes to stdout as much as can be written. */
export function tryPrint(bytes: Uint8Array): Printed {
  let left = bytes;
  while (left.length > 0) {
    try {
      left = left.subarray(writeSync(STDOUT, left));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      if ('code' in error && error.code === 'EAGAIN') Atomics.wait(nobodyWakes, 0, 0, PAUSE_MS);
      else return { kind: 'refused', left, why: error.message };
    }
  }
  return { kind: 'printed' };
}

/**
 * Writes a text to stdout.
 * @throws Error where it cannot be written in full
 */
export function print(text: string): void {
  const printed = tryPrint(Buffer.from(text));
  if (printed.kind === 'refused') throw new Error(`stdout cannot be written (${printed.why})`);
}
