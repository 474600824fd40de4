import type { Services } from '../services.ts';

interface Readiness {
  readonly ready: boolean;
  readonly body: Record<string, unknown>;
}

/** A probe asks every few seconds and waits for little more than this: a frozen registry must not make it give up. */
const REGISTRY_PATIENCE_MS = 800;

/** Whether the server can do its work. A dead registry is told, but does not make it unready: reads still work. */
export async function readiness({ database, registry, log }: Services): Promise<Readiness> {
  const [databaseState, registryState] = await Promise.all([
    database.isMigrated().then(
      (migrated) => (migrated ? 'ok' : 'not migrated'),
      (error: unknown) => {
        log.warn({ err: error }, 'the database does not answer');
        return 'unreachable';
      },
    ),
    registry.check({ signal: AbortSignal.timeout(REGISTRY_PATIENCE_MS) }),
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
