/**
 * `npm run abuse`: one org attacks a real server process, the other goes on working. Exit code 1 where the event loop
 * stood still for too long, or the other org noticed; a
 * process that needs more memory than an attack may cost dies. It needs Linux (`/proc`) and quiet cores.
 * `npm run abuse -- pages` runs those that have it in their names.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Postgres } from '../chaos/world.ts';
import { freePort } from '../support/free-port.ts';
import { runAbuse } from './run-abuse.ts';

const MIB = 1024 ** 2;
const LONGEST_STALL_MS = 250;
const MOST_GROWTH_MIB = 64;

const print = (line: string) => void process.stdout.write(`${line}\n`);
const directory = mkdtempSync(join(tmpdir(), 'abuse-postgres-'));
// PostgreSQL refuses to run as root and then runs as a user of its own, who must reach this directory.
chmodSync(directory, 0o755);
const postgres = await Postgres.start(join(directory, 'postgres'), await freePort());
const problems: string[] = [];
try {
  print('stall ms  busy ms   cpu ms    MiB  answered');
  await runAbuse(
    postgres.url,
    ({ name, replies, stallMs, busyMs, cpuMs, grewBy, noticed }) => {
      const statuses = [...new Set(replies.map(({ status }) => status))].join(' ');
      const columns = [
        stallMs.toFixed(0),
        busyMs.toFixed(0),
        cpuMs.toFixed(0),
        (grewBy / MIB).toFixed(1),
      ];
      print(
        `${columns.map((column) => column.padStart(8)).join(' ')}  ${statuses.padEnd(8)}  ${name}`,
      );
      if (busyMs > LONGEST_STALL_MS)
        problems.push(`${name}: the loop stood still for ${busyMs} ms of work`);
      if (noticed.length > 0) problems.push(`${name}: the other org noticed: ${noticed[0]}`);
    },
    { wanted: process.argv[2] ?? '', heapMib: MOST_GROWTH_MIB },
  );
} finally {
  await postgres.close();
  rmSync(directory, { recursive: true, force: true });
}
for (const problem of problems) print(`PROBLEM ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);
