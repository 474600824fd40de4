/** The process: environment in, one line per problem out. */
import { ConfigError, readConfig } from './config.ts';
import { StartError } from './start-error.ts';

async function main(): Promise<void> {
  const [argument] = process.argv.slice(2);
  if (argument !== undefined) {
    throw new StartError(argument, 'no arguments are read; set variables, for example PORT=4001');
  }
  const config = readConfig(process.env);
  // Loaded only now: most of a start is loading, and a bad value is told at once.
  const { serve } = await import('./serve.ts');
  await serve(config);
}

main().catch((error: unknown) => {
  const expected = error instanceof ConfigError || error instanceof StartError;
  process.stderr.write(
    `${expected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(1);
});
