/** `npm run failover [-- --short] [-- --seed N] [-- --clients N] [-- --answers N]`; exit code 1 when anything is wrong. */
import { parseArgs } from 'node:util';
import { runFailover } from './run-failover.ts';

const { values } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string' },
    clients: { type: 'string' },
    answers: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const clients = Number(values.clients ?? (values.short ? 12 : 24));
const answers = Number(values.answers ?? (values.short ? 40 : 500));
process.stdout.write(`seed ${seed}, ${clients} clients, ${answers} changes between the steps\n`);
const report = await runFailover({ seed, clients, answers });
const { lost, violations, steps, onStandby, readsMeanwhile, ...counts } = report;
const [answered, sent] = readsMeanwhile;
for (const { what, readyAfterMs, refused } of steps) {
  process.stdout.write(`${what}: ready after ${readyAfterMs} ms, ${refused} refused\n`);
}
process.stdout.write(`while the name led to a standby: /readyz ${onStandby.join(' or ')}\n`);
process.stdout.write(`while commits waited for a standby: ${answered} of ${sent} reads answered\n`);
process.stdout.write(
  `${JSON.stringify({ ...counts, lost: lost.length, violations: violations.length })}\n`,
);
for (const line of lost) process.stdout.write(`LOST ${line}\n`);
for (const line of violations) process.stdout.write(`VIOLATION ${line}\n`);
process.exit(lost.length + violations.length === 0 && answered === sent ? 0 : 1);
