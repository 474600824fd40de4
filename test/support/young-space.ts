import { readFileSync } from 'node:fs';

const { scripts } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

/** V8's flags for it, as `npm start` sets them: what lives for one request must fit into it. */
export const YOUNG_SPACE: readonly string[] = scripts.start
  .split(' ')
  .filter((flag: string) => flag.includes('semi-space'));
