/** Takes a file lock, says `locked` and keeps it until it is killed: `node lock-holder.ts PATH`. */
import { lockFile } from '../../src/data-directory/file-lock.ts';

const lock = await lockFile(process.argv[2] ?? '', { wait: 0 });
process.stdout.write(lock === 'held' ? 'held\n' : 'locked\n');
setInterval(() => undefined, 60_000);
