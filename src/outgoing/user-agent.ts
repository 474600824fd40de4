import { readFileSync } from 'node:fs';

const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
// Our own file, which npm has read before us.
const { version } = JSON.parse(manifest) as { readonly version: string };

/** How we identify ourselves to other servers; firewalls and registries turn away requests without it. */
export const USER_AGENT = `pack-gateway/${version}`;
