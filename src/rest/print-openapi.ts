/** `npm run openapi`: writes the OpenAPI document that clients are generated from. */
import { writeFileSync } from 'node:fs';
import { openApi } from './rest.ts';

const file = new URL('../../examples/rest-client/openapi.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(openApi(), null, 2)}\n`);
