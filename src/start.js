/**
 * `npm start`: says so where Node is too old to run TypeScript, then runs the service.
 * Plain JavaScript of long ago, because it must be understood by the Node that it refuses.
 */
const NEEDED = 24;

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  process.stderr.write(
    `Node.js ${NEEDED} or newer is needed, and this is ${process.versions.node}: on Linux (x64, arm64) \`npm ci\` brings it along; elsewhere install it from https://nodejs.org\n`,
  );
  process.exit(1);
}

await import('./main.ts');
