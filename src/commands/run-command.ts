/**
 * Runs what an npm script runs, and ends the process with the exit code that it answers (0 for none).
 * @param failedCode the exit code where it throws; the error's message is then the last line of stderr
 */
export async function runCommand(
  main: () => Promise<number | undefined> | Promise<void>,
  failedCode = 1,
): Promise<void> {
  // The exit code is told even where stderr cannot be written.
  process.stderr.on('error', () => undefined);
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = failedCode;
  }
}
