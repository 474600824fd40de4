import pino from 'pino';
import type { LogLevel } from './settings.ts';

export type Log = pino.Logger;

/**
 * JSON lines on stdout, each with an ISO time; nothing secret is handed to it.
 * @param about what every line tells of the moment at which it is written, such as the request
 */
export function createLog(
  level: LogLevel,
  about: () => object,
  destination?: pino.DestinationStream,
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
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}
