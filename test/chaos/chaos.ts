/** `npm run chaos [-- --short] [-- --seed N] [-- --seconds N] [-- --clients N]`; exit code 1 when anything is wrong. */
import { parseArgs } from 'node:util';
import { runChaos } from './run-chaos.ts';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
    seconds: { type: 'string' },
    clients: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const seconds = Number(values.seconds ?? (values.short ? 15 : 180));
const clients = Number(values.clients ?? 24);
process.stdout.write(`seed ${seed}, ${clients} clients, ${seconds} s of faults\n`);
const report = await runChaos({ seed, milliseconds: seconds * 1_000, clients });
const { lost, violations, ...counts } = report;
process.stdout.write(
  `${JSON.stringify({ ...counts, lost: lost.length, violations: violations.length }, null, 2)}\n`,
);
for (const line of lost) process.stdout.write(`LOST ${line}\n`);
for (const line of violations) process.stdout.write(`VIOLATION ${line}\n`);
process.exit(lost.length + violations.length === 0 ? 0 : 1);
