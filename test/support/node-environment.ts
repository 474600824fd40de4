/** What a Node.js process of a test's own inherits: where programs are, what was compiled before, how `npm start` starts it. */
export function nodeEnvironment(): Record<string, string> {
  const { PATH = '', NODE_COMPILE_CACHE = '', TMPDIR = '' } = process.env;
  return { PATH, NODE_COMPILE_CACHE, TMPDIR, NODE_OPTIONS: '--preserve-symlinks' };
}
