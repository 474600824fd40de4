/** The process: environment in, one line per problem out, and a drain on SIGTERM. */
import { type App, createApp } from './app.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import type { Handler } from './http/handler.ts';
import { listen } from './http/server.ts';
import { StartError } from './start-error.ts';
import { createLog } from './telemetry/log.ts';
import { openTracing } from './telemetry/tracing.ts';

/** SIGTERM to exit, at most (contract.md). */
const LONGEST_DRAIN_MS = 15_000;

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = createLog(config.logLevel);
  // The port comes first: a start that fails on it has made nothing, least of all an owner key that nobody saw.
  const opening = Promise.withResolvers<App>();
  let answer: Handler = async (request, options) => (await opening.promise).fetch(request, options);
  const server = await listen(
    (request, options) => answer(request, options),
    config.port,
    config.host,
  ).catch((error: unknown) => {
    throw cannotListen(config, error);
  });
  // Heard from here on: a signal during the start ends it in order as well.
  const drain = (signal: NodeJS.Signals) => {
    process.off('SIGTERM', drain).off('SIGINT', drain);
    log.info({ signal }, 'draining');
    setTimeout(() => process.exit(1), LONGEST_DRAIN_MS).unref();
    void opening.promise.then(async (app) => {
      // A stream would never end by itself.
      await app.services.events.end();
      await server.close();
      await app.close();
      process.exit(0);
    });
  };
  process.on('SIGTERM', drain).on('SIGINT', drain);
  const tracing = await openTracing(process.env);
  const app = await createApp(config, { log, tracing });
  answer = app.fetch;
  opening.resolve(app);
  const { port } = server;
  log.info({ port, host: config.host, url: `http://${config.host}:${port}/graphql` }, 'listening');
  if (app.ownerKey !== null) {
    // Not a log line that a level could hide: without this key nobody can use the service.
    const line = {
      msg: 'owner key, shown this once',
      org: config.bootstrap.org,
      key: app.ownerKey,
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

function cannotListen({ host, port }: Config, error: unknown): StartError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const problem = error instanceof Error ? error.message : String(error);
  return code === 'EADDRINUSE' || code === 'EACCES'
    ? new StartError(
        'PORT',
        `cannot listen on ${port} (${problem}); choose another, for example PORT=4001`,
      )
    : new StartError('HOST', `cannot listen on ${host} (${problem}); for example HOST=127.0.0.1`);
}

main().catch((error: unknown) => {
  const expected = error instanceof ConfigError || error instanceof StartError;
  process.stderr.write(
    `${expected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
});
