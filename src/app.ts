/** Builds a whole gateway from a Config, and takes it down again. */
import { createEventFeed } from './audit/event-feed.ts';
import type { Config } from './config.ts';
import type { StatementEvent } from './database/connect.ts';
import { openMigratedDatabase } from './database/open-migrated.ts';
import { createGraphQL } from './graphql/yoga.ts';
import { FailedAttempts } from './identity/failed-attempts.ts';
import { createKeyLookup } from './identity/key-lookup.ts';
import { bootstrap } from './keys/bootstrap.ts';
import { createLog, type Log } from './log.ts';
import { createPackLookup } from './packs/pack-lookup.ts';
import { createUnmanagedRemoval } from './packs/unmanaged-removal.ts';
import { createVerdictLookup } from './packs/verdict-lookup.ts';
import { openRegistry } from './registry/open-registry.ts';
import { requestScope } from './request-record.ts';
import { createRest } from './rest/rest.ts';
import { createHandler, type Handler } from './server/handler.ts';
import { createHealth } from './server/health.ts';
import type { Services } from './services.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Tracing } from './telemetry/tracing.ts';

/** Answers requests as the server does. */
export interface App extends Handler {
  readonly services: Services;
  /** The owner key, when this start made it: shown once, then forgotten. */
  readonly ownerKey: string | null;
  /** Makes `/readyz` say that the process is about to stop. */
  drain(): void;
  close(): Promise<void>;
}

/** Who watches an app besides its metrics. */
export interface Observers {
  readonly log?: Log;
  readonly onStatement?: (event: StatementEvent) => void;
  /** Closed together with the app. */
  readonly tracing?: Tracing | null;
}

/**
 * Opens database and registry, migrates, and makes the first org where there is none.
 * @throws StartError with what to do about it; nothing is left open
 */
export async function createApp(
  config: Config,
  { log = createLog(config.logLevel), onStatement, tracing = null }: Observers = {},
): Promise<App> {
  await using undo = new AsyncDisposableStack();
  const metrics = createMetrics();
  undo.defer(async () => tracing?.close());
  const database = await openMigratedDatabase(config, {
    onStatement: (event) => {
      metrics.statement(event);
      tracing?.statement(event);
      onStatement?.(event);
    },
    onPool: metrics.watchPool,
    onConnectionLost: (error) => log.warn({ err: error }, 'a database connection broke'),
  });
  undo.defer(() => database.close());
  const registry = await openRegistry(
    config.registry,
    config.dataDirectory,
    (call) => {
      metrics.registryCall(call);
      tracing?.registryCall(call);
      // Calls that no request made (at start, by /readyz) would only drown those that matter.
      log[requestScope.getStore() === undefined ? 'debug' : 'info'](call, 'registry call');
    },
    (state) => {
      metrics.circuit(state);
      log.warn({ circuit: state }, 'the circuit breaker of the registry changed');
    },
  );
  undo.defer(() => registry.close());
  const events = createEventFeed(database, log, metrics.followers);
  undo.defer(() => events.end());
  const services: Services = {
    config,
    database,
    registry,
    events,
    findKeyByHash: createKeyLookup(database),
    findPack: createPackLookup(database),
    findVerdict: createVerdictLookup(database),
    removeUnmanaged: createUnmanagedRemoval(database),
    failedAttempts: new FailedAttempts(),
    log,
  };
  const graphql = createGraphQL(services);
  undo.defer(async () => graphql.yoga.dispose());
  const health = createHealth(services);
  const handler = createHandler({
    services,
    health,
    graphql,
    rest: createRest(services),
    metrics,
    tracing,
  });
  // Last: a start that failed after it would have lost the owner key, which is told only once.
  const ownerKey = await bootstrap(database, config.bootstrap);
  const resources = undo.move();
  return {
    ...handler,
    services,
    ownerKey,
    drain: health.drain,
    close: () => resources.disposeAsync(),
  };
}
