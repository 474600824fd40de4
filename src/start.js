/**
 * `npm start`: says so where Node is too old to run TypeScript, then runs the service.
 * Plain JavaScript of long ago, because it must be understood by the Node that it refuses.
 */
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  process.stderr.write(
    `Node.js ${NEEDED} or newer is needed, and this is ${process.versions.node}: on Linux (x64, arm64) \`npm ci\` brings it along; elsewhere install it from https://nodejs.org\n`,
  );
  process.exit(1);
}

// What Node has compiled is kept from one start to the next, a quarter of the time that a start takes; beside the
// packages, where whoever can write can change the service anyway. A directory that is read-only is left alone.
module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url)));

await import('./main.ts');
