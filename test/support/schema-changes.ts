import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const FILE = 'schema.graphql';

/** What a client of the schema before could trip over in the one after, one line each. */
export async function breakingChanges(before: string, after: string): Promise<string[]> {
  // Federation's directives are used, and defined nowhere in the SDL of a subgraph.
  const build = (sdl: string) => buildSchema(sdl, { assumeValidSDL: true });
  const changes = await diff(build(before), build(after));
  return changes
    .filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking)
    .map(({ message }) => message);
}

/**
 * The SDL that the present one takes the place of: the last committed one that differs from it. Where there is no
 * history (an exported tree, a clone of depth one) nothing is known to have changed.
 */
export function schemaBefore(present: string): string {
  const commits = git('log', '--format=%H', '-2', '--', FILE).split('\n').filter(Boolean);
  const versions = commits.map((commit) => git('show', `${commit}:${FILE}`));
  return versions.find((sdl) => sdl !== '' && sdl !== present) ?? present;
}

export const presentSchema = (): string => readFileSync(FILE, 'utf8');

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
