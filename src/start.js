/** `npm start`: runs the service, on a Node that can. */
import './needs-node.js';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

// What Node has compiled is kept from one start to the next, a quarter of the time that a start takes; beside the
// packages, where whoever can write can change the service anyway. A directory that is read-only is left alone.
module.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/node', import.meta.url)));

await import('./main.ts');
