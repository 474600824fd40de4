/** `npm run schema`: writes schema.graphql and api.graphql. */
import { writeFileSync } from 'node:fs';
import { printApi, printSchema } from './schema.ts';

writeFileSync(new URL('../../schema.graphql', import.meta.url), printSchema());
writeFileSync(new URL('../../api.graphql', import.meta.url), printApi());
