import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, of which most is waiting: begun last, it would keep one worker when the others have ended. */
const LONGEST = [
  'packs/revision-crash',
  'packs/deletion-crash',
  'packs/deletion-race',
  'process/start-and-stop',
  'rest/download-memory',
  'telemetry/tracing',
  'process/drain',
  'faults/pool-exhausted',
  'faults/silent-database',
  'process/start-refused',
  'database/pgbouncer',
  'database/session',
].map((name) => `/test/${name}.test.ts`);

/** Those first, then as vitest would: what took long the last time, or is long to read. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? LONGEST.length : at;
    };
    return (await super.sort(files)).sort((one, other) => place(one) - place(other));
  }
}
