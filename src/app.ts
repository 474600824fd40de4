/** Builds a whole gateway from a Config, and takes it down again. */
import type { PGlite } from '@electric-sql/pglite';
import type { Registry } from 'prom-client';
import { EventFeed } from './audit/event-feed.ts';
import { keepAudit } from './audit/prune-audit.ts';
import { type Config, settingsInVain } from './config.ts';
import type { StatementEvent } from './database/connect.ts';
import { openMigratedDatabase, unusableDatabase } from './database/open-migrated.ts';
import { createGraphQL } from './graphql/yoga.ts';
import { AtOnce } from './http/at-once.ts';
import { Bodies } from './http/bodies.ts';
import type { Foundation } from './http/foundation.ts';
import { Turns } from './http/turns.ts';
import { createAuthenticate } from './identity/authenticate.ts';
import { bootstrap } from './keys/bootstrap.ts';
import { unusedBootstrap } from './keys/unused-bootstrap.ts';
import { createLog, type Log } from './log.ts';
import type { ReadingWorld } from './packs/contents/reading-world.ts';
import { UnpackedImages } from './packs/contents/unpacked-images.ts';
import { knowsEmbeddedImages } from './packs/embedded-images.ts';
import { ParserThread } from './parser-thread.ts';
import { openRegistry } from './registry/open-registry.ts';
import { requestLogged, requestScope } from './request-record.ts';
import { createHandler, type Handler, type Surfaces } from './server/handler.ts';
import { createHealth } from './server/health.ts';
import { createMetrics, createProcessMetrics } from './telemetry/metrics.ts';
import type { Tracing } from './telemetry/tracing.ts';

/** Each may take MAX_ARCHIVE_BYTES of the disk, and four times that unpacked. */
const UPLOADS_AT_ONCE = { ofOrg: 32, all: 64 };
/** Each has a connection to the registry for as long as it is read. */
const DOWNLOADS_AT_ONCE = { ofOrg: 16, all: 24 };

/** Answers requests as the server does. */
export interface App extends Handler {
  readonly world: ReadingWorld;
  readonly events: EventFeed;
  /** Makes `/readyz` say that the process is about to stop. */
  drain(): void;
  close(): Promise<void>;
}

/** Who watches an app besides its metrics, and what is there for it already. */
export interface Surroundings {
  readonly log?: Log;
  readonly onStatement?: (event: StatementEvent) => void;
  /** Closed together with the app. */
  readonly tracing?: Tracing | null;
  /** Closed together with the app. */
  readonly embedded?: PGlite;
  /** Outlives the app: apps of one process may share it. */
  readonly parserThread?: ParserThread;
  /** Outlives the app, as a process has but one. */
  readonly processMetrics?: Registry;
  /** Handed the owner key where this start makes one: shown once, then forgotten. Where it throws, none is made. */
  readonly showOwnerKey?: (key: string) => void;
}

/**
 * Opens database and registry, migrates, and makes the first org where there is none.
 * @throws StartError with what to do about it; nothing is left open
 */
export async function createApp(
  config: Config,
  {
    log = createLog(config.logLevel, requestLogged),
    onStatement,
    tracing = null,
    embedded,
    parserThread: shared,
    processMetrics = createProcessMetrics(),
    showOwnerKey,
  }: Surroundings = {},
): Promise<App> {
  await using undo = new AsyncDisposableStack();
  const metrics = createMetrics(processMetrics);
  undo.defer(async () => tracing?.close());
  for (const warning of settingsInVain(config)) log.warn(warning);
  const database = await openMigratedDatabase(config, {
    onStatement: (event) => {
      metrics.statement(event);
      tracing?.statement(event);
      onStatement?.(event);
    },
    ...(tracing !== null && { onSharedStatement: (event) => tracing.statement(event) }),
    onPool: metrics.watchPool,
    onConnectionLost: (error) => log.warn({ err: error }, 'a database connection broke'),
    onWarning: (message) => log.warn(message),
    ...(embedded !== undefined && { embedded }),
  });
  undo.defer(() => database.close());
  const told = <T>(asked: Promise<T>): Promise<T> =>
    asked.catch((error: unknown) => {
      throw unusableDatabase(config, error);
    });
  const registry = await openRegistry(
    config.registry,
    config.dataDirectory,
    () => told(knowsEmbeddedImages(database)),
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
  const events = new EventFeed(database, log, metrics.followers);
  undo.defer(() => events.end());
  const parserThread = shared ?? undo.use(new ParserThread());
  const unpacked = new UnpackedImages(metrics.imageRead);
  metrics.watchUnpacked(() => unpacked.state());
  undo.defer(() => unpacked.close());
  const world: ReadingWorld = { config, database, registry, log, parserThread, unpacked };
  const foundation: Foundation = {
    world,
    events,
    authenticate: createAuthenticate(world),
    uploads: new AtOnce('uploads', UPLOADS_AT_ONCE),
    downloads: new AtOnce('downloads of archives', DOWNLOADS_AT_ONCE),
    bodies: new Bodies(),
    answers: new Turns(1),
  };
  const graphql = createGraphQL(foundation);
  undo.defer(async () => graphql.close());
  const health = createHealth(world);
  // Loaded when first asked for, in 0.1 s that each start would take: most callers speak GraphQL.
  let rest: Surfaces['rest'] | undefined;
  const handler = createHandler({
    world,
    health,
    graphql,
    async rest(request, record) {
      if (rest === undefined) {
        const { createRest } = await import('./rest/rest.ts');
        // Of those that come first together only one makes it.
        rest ??= createRest(foundation);
      }
      return rest(request, record);
    },
    metrics,
    tracing,
  });
  // Last: a start that failed after it would have lost the owner key, which is told only once.
  await told(bootstrap(database, config.bootstrap, showOwnerKey));
  const unused = await told(unusedBootstrap(database, config.bootstrap));
  for (const warning of unused) log.warn(warning);
  undo.use(keepAudit(world));
  const resources = undo.move();
  return {
    ...handler,
    world,
    events,
    drain: health.drain,
    close: () => resources.disposeAsync(),
  };
}
