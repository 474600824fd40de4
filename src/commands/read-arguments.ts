import { type ParseArgsConfig, parseArgs } from 'node:util';

/** Nobody who asks for it may get the thing itself, whether or not a command has it. */
const ALWAYS = 'dry-run';

/**
 * Reads the arguments of a command, as `parseArgs` of Node does.
 * @throws Error for one that the command does not have, and for one that npm has kept to itself
 */
export function readArguments<Config extends ParseArgsConfig>(
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  for (const name of [ALWAYS, ...Object.keys(config.options ?? {})]) {
    if (process.env[`npm_config_${name.replaceAll('-', '_')}`]) throw keptByNpm(name);
  }
  return parseArgs(config);
}

function keptByNpm(name: string): Error {
  const { npm_lifecycle_event: script = '<command>' } = process.env;
  return new Error(
    `--${name}: is npm's own where no \`--\` comes before it; write npm run ${script} -- --${name}`,
  );
}
