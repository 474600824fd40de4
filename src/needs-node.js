/**
 * Says so where Node is too old to run TypeScript. What npm starts loads it first.
 * Plain JavaScript of long ago, because it must be understood by the Node that it refuses.
 */
const NEEDED = 24;

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  process.stderr.write(
    `Node.js ${NEEDED} or newer is needed, and this is ${process.versions.node}: on Linux (x64, arm64; glibc) \`npm ci\` brings it along; elsewhere install it from https://nodejs.org\n`,
  );
  process.exit(1);
}
