import { writeSync } from 'node:fs';
import pino from 'pino';
import type { LogLevel } from './settings.ts';
import { tryPrint } from './stdout.ts';

export type Log = pino.Logger;

/**
 * JSON lines on stdout, each with an ISO time; nothing secret is handed to it. It never throws: no answer and no
 * deletion depends on whether its lines can be written.
 * @param about what every line tells of the moment at which it is written, such as the request
 */
export function createLog(
  level: LogLevel,
  about: () => object,
  destination: pino.DestinationStream = stdoutOrNothing(),
): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // A driver's error carries the statement and its values; neither belongs in a log.
      serializers: { err: ({ name, message, code, stack }) => ({ name, message, code, stack }) },
      mixin: about,
    },
    destination,
  );
}

/**
 * Stdout, or nothing while its disk is full or its terminal gone: lines are dropped and counted then. The first of them
 * is told on stderr, their number in the log as soon as there is one again.
 */
function stdoutOrNothing(): pino.DestinationStream {
  let lost = 0;
  /** The end of a line that is written in part; no other may begin before it. */
  let begun: Uint8Array = new Uint8Array();
  const lose = (why: string): void => {
    lost += 1;
    if (lost === 1)
      complain(`the log cannot be written to stdout, and its lines are lost (${why})`);
  };
  return {
    write(line) {
      const ended = tryPrint(begun);
      begun = ended.kind === 'printed' ? new Uint8Array() : ended.left;
      if (ended.kind === 'refused') return lose(ended.why);
      const bytes = Buffer.from(lost === 0 ? line : `${linesLost(lost)}${line}`);
      const printed = tryPrint(bytes);
      if (printed.kind === 'refused') {
        if (printed.left.length === bytes.length) return lose(printed.why);
        begun = printed.left;
      }
      lost = 0;
    },
  };
}

const linesLost = (lost: number): string =>
  `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), lost, msg: 'log lines were lost before this one' })}\n`;

function complain(message: string): void {
  try {
    writeSync(2, `${message}\n`);
  } catch {
    // Nobody is left to tell.
  }
}
