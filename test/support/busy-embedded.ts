/** `node busy-embedded.ts <directory>`: keeps an embedded database busy, and says how many bytes the process held at most. */
import { openPGlite } from '../../src/database/embedded.ts';

const [directory = ''] = process.argv.slice(2);
const database = await openPGlite(directory);
let most = 0;
for (let left = 400; left > 0; left -= 1) {
  await database.query(
    `select c.relname, (select count(*) from pg_attribute a where a.attrelid = c.oid and a.attnum > $1) as columns
     from pg_class c where c.relname like $2 order by c.relname limit 20`,
    [0, '%pg%'],
  );
  most = Math.max(most, process.memoryUsage.rss());
}
await database.close();
process.stdout.write(`${most}\n`);
