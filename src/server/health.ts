import { setTimeout as pause } from 'node:timers/promises';
import type { Registry } from '../registry/registry.ts';
import type { World } from '../world.ts';

interface Readiness {
  readonly ready: boolean;
  readonly body: Record<string, unknown>;
}

/** Tells balancers and operators whether this process should be sent requests. */
export interface Health {
  readiness(): Promise<Readiness>;
  /** From now on the process is not ready: it answers what still comes, and stops soon. */
  drain(): void;
}

/** A probe asks every few seconds and waits for little more than this: a part that hangs must not make it give up. */
const PATIENCE_MS = 800;
/** Anybody may ask, as often as they like: database and registry are asked at most once in this time. */
const VALID_MS = 1_000;

export function createHealth(world: World): Health {
  let isDraining = false;
  let last: { readonly at: number; readonly answer: Promise<Readiness> } | null = null;
  const known = (): Promise<Readiness> => {
    const now = performance.now();
    if (last === null || now - last.at >= VALID_MS) last = { at: now, answer: readinessOf(world) };
    return last.answer;
  };
  return {
    // At once, whatever state the parts are in: the balancer must hear of it within the grace period.
    readiness: async () => (isDraining ? { ready: false, body: { status: 'draining' } } : known()),
    drain() {
      isDraining = true;
    },
  };
}

/** Whether the server can do its work. A dead registry is told, but does not make it unready: reads still work. */
async function readinessOf({ database, registry, log }: World): Promise<Readiness> {
  const [databaseState, registryState] = await Promise.all([
    Promise.race([
      database.state().catch((error: unknown) => {
        log.warn({ err: error }, 'the database does not answer');
        return 'unreachable';
      }),
      pause(PATIENCE_MS, 'too slow', { ref: false }),
    ]),
    // The embedded one asks a disk, which no signal reaches.
    Promise.race([
      registry.check({ signal: AbortSignal.timeout(PATIENCE_MS) }).then(toldOf),
      pause(PATIENCE_MS, 'too slow', { ref: false }),
    ]),
  ]);
  const ready = databaseState === 'ok';
  return {
    ready,
    body: {
      status: ready ? 'ready' : 'not ready',
      database: databaseState,
      registry: registryState,
      // Absent on the embedded registry, which has no breaker.
      registryCircuit: registry.circuit?.(),
    },
  };
}

const toldOf = (state: Awaited<ReturnType<Registry['check']>>): string =>
  state.kind === 'ok' ? 'ok' : state.reason.toLowerCase();
