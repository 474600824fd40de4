/** `npm run prune-audit`: removes audit events that are older than AUDIT_RETENTION_DAYS, and exits. */
import { pruneAudit } from '../audit/prune-audit.ts';
import { readConfig } from '../config.ts';
import { print } from '../stdout.ts';
import { openCommandDatabase } from './open-database.ts';
import { readArguments } from './read-arguments.ts';
import { runCommand } from './run-command.ts';

async function main(): Promise<void> {
  readArguments({ options: {} });
  const config = readConfig(process.env);
  if (config.auditRetentionDays === null) {
    throw new Error(
      'AUDIT_RETENTION_DAYS: must say for how many days events are kept; for example AUDIT_RETENTION_DAYS=365',
    );
  }
  const database = await openCommandDatabase(config, { longestSilenceMs: null });
  try {
    const removed = await pruneAudit({ database }, config.auditRetentionDays);
    print(`${JSON.stringify({ removed, days: config.auditRetentionDays })}\n`);
  } finally {
    await database.close();
  }
}

await runCommand(main);
