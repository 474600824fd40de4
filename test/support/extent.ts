/**
 * How much of its ground a test covers. `npm test` tries each promise; `npm run endurance` sweeps what that leaves out:
 * the other moments, more rounds, the other pairs of a database and a registry.
 */
import { inject } from 'vitest';
import type { DatabaseKind } from './gateway.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether the project is the one that sweeps. */
    sweep: boolean;
  }
}

export const isSweep = inject('sweep');

/** The first of a list are tried, the others swept. */
export const triedOrSwept = <One>(all: readonly One[], tried: number): One[] =>
  isSweep ? all.slice(tried) : all.slice(0, tried);

/** For what takes long on each database: PostgreSQL is tried, the embedded one swept. */
export const longDatabaseKinds: readonly DatabaseKind[] = isSweep ? ['embedded'] : ['postgres'];
