import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Whether a program that tests run against (docker-registry, skopeo, chromium …) is on this machine.
 *
 * A laptop may lack it and skips those tests; with `REAL_COMPONENTS=required` (set by `.ci/run`)
 * a missing program is an error, so that no continuous integration run passes without it.
 */
export function installed(program: string): boolean {
  const found = (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!found && process.env.REAL_COMPONENTS === 'required') {
    throw new Error(`${program} is not installed, and REAL_COMPONENTS=required forbids skipping`);
  }
  return found;
}
