import pino from 'pino';
import { requestScope } from './request-record.ts';
import type { LogLevel } from './settings.ts';

export type Log = pino.Logger;

/** JSON lines on stdout, each with an ISO time and, within a request, its id; nothing secret is handed to it. */
export function createLog(level: LogLevel, destination?: pino.DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // A driver's error carries the statement and its values; neither belongs in a log.
      serializers: { err: ({ name, message, code, stack }) => ({ name, message, code, stack }) },
      mixin: () => {
        const record = requestScope.getStore();
        if (record === undefined) return {};
        const { requestId, traceId } = record;
        return traceId === null ? { requestId } : { requestId, traceId };
      },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
}
