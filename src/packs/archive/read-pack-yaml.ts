import { invalid } from '../../field-problem.ts';
import type { Parser } from '../../parser-thread.ts';
import type { PackMetadataOutcome } from '../pack-metadata.ts';

const WORKER = new URL('./pack-yaml-worker.ts', import.meta.url);

const TOO_COSTLY = invalid('pack.yaml', 'takes too much time or memory to read: simplify it');

/** What the bytes of a pack.yaml say, read in a thread of its own. Throws as `ParserThread.parse` does. */
export async function readPackYaml(
  thread: Parser,
  bytes: Uint8Array,
): Promise<PackMetadataOutcome> {
  const outcome = await thread.parse(WORKER, bytes);
  if (outcome.kind === 'too_costly') return TOO_COSTLY;
  // What pack-yaml-worker.ts posts, and nobody else.
  return outcome.value as PackMetadataOutcome;
}
