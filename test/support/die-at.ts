/**
 * Preloaded into a server (`node --import`): ends it, as kill -9 does, at the change to a file that a test names.
 *
 * A fake, because nothing outside a process can stop it between two system calls and know between which.
 */
import { existsSync, promises, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** What is in the file that `DIE_AT` names, once it is to happen. */
export interface Death {
  readonly side: 'before' | 'after';
  readonly call: 'rename' | 'rm';
  /** A regular expression for the path: what is removed, or the new name. */
  readonly path: string;
  /** Which of the calls that match; the first is 1. */
  readonly time: number;
}

const orders = process.env.DIE_AT;
let seen = 0;

function isNow(call: Death['call'], path: unknown): Death['side'] | null {
  if (orders === undefined || !existsSync(orders)) return null;
  // The test has written it.
  const death = JSON.parse(readFileSync(orders, 'utf8')) as Death;
  if (death.call !== call || !new RegExp(death.path).test(String(path))) return null;
  seen += 1;
  return seen === death.time ? death.side : null;
}

const die = () => process.kill(process.pid, 'SIGKILL');

const { rename, rm } = promises;
promises.rename = async (from, to) => {
  const side = isNow('rename', to);
  if (side === 'before') die();
  await rename(from, to);
  if (side === 'after') die();
};
promises.rm = async (path, options) => {
  const side = isNow('rm', path);
  if (side === 'before') die();
  await rm(path, options);
  if (side === 'after') die();
};
syncBuiltinESMExports();
