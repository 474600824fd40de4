import type { Services } from '../services.ts';

interface Readiness {
  readonly ready: boolean;
  readonly body: Record<string, unknown>;
}

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
    registry.check(),
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
