import { setTimeout as pause } from 'node:timers/promises';
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

/** A probe asks every few seconds and waits for little more than this: whatever stands still must not make it give up. */
const PATIENCE_MS = 800;

export function createHealth(world: World): Health {
  let isDraining = false;
  return {
    // At once, whatever state the parts are in: the balancer must hear of it within the grace.
    readiness: async () =>
      isDraining ? { ready: false, body: { status: 'draining' } } : readinessOf(world),
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
    registry.check({ signal: AbortSignal.timeout(PATIENCE_MS) }),
  ]);
  const ready = databaseState === 'ok';
  return {
    ready,
    body: {
      status: ready ? 'ready' : 'not ready',
      database: databaseState,
      registry: registryState.kind === 'ok' ? 'ok' : registryState.reason.toLowerCase(),
      // Absent on the embedded registry, which has no breaker.
      registryCircuit: registry.circuit?.(),
    },
  };
}
