/** The process: environment in, one line per problem out. */
import { ConfigError, readConfig } from './config.ts';
import { StartError } from './start-error.ts';

async function main(): Promise<void> {
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
