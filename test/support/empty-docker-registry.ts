import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { type DockerRegistry, startDockerRegistry } from './docker-registry.ts';

const idle: DockerRegistry[] = [];
// So ends a worker of vitest, and without its listeners of `exit`, which end the registries.
process.once('SIGTERM', () => process.exit());

/** An empty one for the test alone; the next test gets it emptied, unless this one has ended it. */
export async function emptyDockerRegistry(): Promise<DockerRegistry> {
  const registry = idle.pop() ?? (await newDockerRegistry());
  onTestFinished(() => {
    if (!registry.running()) return;
    registry.resume();
    rmSync(join(registry.directory, 'data', 'docker'), { recursive: true, force: true });
    idle.push(registry);
  });
  return registry;
}

/** Where the templates of databases are, which go when the run ends. */
const newDockerRegistry = (): Promise<DockerRegistry> =>
  startDockerRegistry({
    directory: mkdtempSync(join(dirname(inject('embedded')), 'docker-registry-')),
  });
