import type { Config } from './config.ts';
import type { Database } from './database/database.ts';
import type { Log } from './log.ts';
import type { ParserThread } from './parser-thread.ts';
import type { Registry } from './registry/registry.ts';

/** All that a use-case is given besides its caller and its input; it takes a `Pick` where it needs less. */
export interface World {
  readonly config: Config;
  readonly database: Database;
  readonly registry: Registry;
  readonly log: Log;
  readonly parserThread: ParserThread;
}
