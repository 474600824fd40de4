/** The server: it listens, opens what it stands on, and drains on SIGTERM. */
import { isIPv6 } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type App, createApp } from './app.ts';
import type { Config } from './config.ts';
import { keepPrivate } from './data-directory/keep-private.ts';
import { createLog } from './log.ts';
import { requestLogged } from './request-record.ts';
import type { Handler } from './server/handler.ts';
import { listen } from './server/server.ts';
import { StartError } from './start-error.ts';
import { print } from './stdout.ts';
import { openTracing } from './telemetry/open-tracing.ts';
import { sweepWorkDirectories } from './work-directory.ts';

/**
 * After SIGTERM the service goes on for so long, so that balancers which ask `/readyz` each second have seen it say
 * "draining" and send nothing more. Not longer: a purge that begins at the end of it may take the ten seconds of
 * REGISTRY_DEADLINE_MS. SIGINT is a developer's Ctrl-C, which waits for no balancer.
 */
const GRACE_MS = { SIGTERM: 3_000, SIGINT: 0 };
/** A second signal ends the process at once, but not npm's copy of one that went to its whole group, such as Ctrl-C. */
const ECHO_MS = 500;
/** From the signal to the exit, at most; the contract says 15 seconds. */
const LONGEST_DRAIN_MS = 14_500;

/**
 * Serves until a signal ends the process.
 * @throws StartError with what to do about it; nothing is left half-made
 */
export async function serve(config: Config): Promise<void> {
  const log = createLog(config.logLevel, requestLogged);
  await keepPrivate(config, (message) => log.warn(message));
  // The port comes first: a start that fails on it has made nothing, least of all an owner key that nobody saw.
  const opening = Promise.withResolvers<App>();
  const handler: Handler = {
    fetch: async (...arrived) => (await opening.promise).fetch(...arrived),
    fail: async (...lost) => (await opening.promise).fail(...lost),
  };
  const server = await listen(handler, config.port, config.host, config.keepAliveMs).catch(
    (error: unknown) => {
      throw cannotListen(config, error);
    },
  );
  // Heard from here on: a signal during the start ends it in order as well.
  let signalledAt: number | null = null;
  const drain = (signal: 'SIGTERM' | 'SIGINT') => {
    if (signalledAt !== null) {
      if (performance.now() - signalledAt > ECHO_MS) process.exit(1);
      return;
    }
    signalledAt = performance.now();
    log.info({ signal }, 'draining');
    setTimeout(() => {
      log.error('the drain took too long; what was in flight is cut off');
      process.exit(1);
    }, LONGEST_DRAIN_MS).unref();
    server.drain();
    void opening.promise.then(async (app) => {
      app.drain();
      await pause(GRACE_MS[signal]);
      // A stream would never end by itself.
      await app.events.end();
      await server.close();
      await app.close();
      process.exit(0);
    });
  };
  process.on('SIGTERM', drain).on('SIGINT', drain);
  void sweepWorkDirectories();
  const tracing = await openTracing(process.env, (message, error) =>
    log.warn(error === undefined ? {} : { err: error }, message),
  );
  const { port } = server;
  const { host } = config;
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${port}/graphql`;
  let isTold = false;
  const tellAddress = () => {
    if (!isTold) log.info({ port, host, url }, 'listening');
    isTold = true;
  };
  const showOwnerKey = (key: string) => {
    tellAddress();
    printOwnerKey(config.bootstrap.org, key);
  };
  opening.resolve(await createApp(config, { log, tracing, showOwnerKey }));
  tellAddress();
}

/** Not a log line that a level could hide, or that may be lost: without this key nobody can use the service. */
function printOwnerKey(org: string, key: string): void {
  try {
    print(`${JSON.stringify({ msg: 'owner key, shown this once', org, key })}\n`);
  } catch (error) {
    throw new StartError(
      'BOOTSTRAP_API_KEY',
      `no owner key was made, because it could not be shown: ${problemOf(error)}; free stdout, or give a key, for ` +
        'example BOOTSTRAP_API_KEY="sk_$(openssl rand -hex 32)"',
    );
  }
}

function cannotListen({ host, port }: Config, error: unknown): StartError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const problem = problemOf(error);
  return code === 'EADDRINUSE' || code === 'EACCES'
    ? new StartError(
        'PORT',
        `cannot listen on ${port} (${problem}); choose another, for example PORT=4001`,
      )
    : new StartError('HOST', `cannot listen on ${host} (${problem}); for example HOST=127.0.0.1`);
}

const problemOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
