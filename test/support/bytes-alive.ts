import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export const MIB = 1024 ** 2;

setFlagsFromString('--expose-gc');
const collectGarbage: (options?: { readonly type: 'minor' }) => void = runInNewContext('gc');

/** What is still referenced, buffers included; what waits for the collector is nobody's to hold. */
export function bytesAlive(): number {
  collectGarbage();
  // V8 takes buffers that a collection has freed out of its account when it begins the next one, of whatever kind.
  collectGarbage({ type: 'minor' });
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
