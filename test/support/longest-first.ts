import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What takes longest, of which most is waiting: begun last, it would keep one worker when the others have ended. */
const LONGEST = [
  'packs/pack-revisions',
  'graphql/graphiql',
  'process/start-and-stop',
  'packs/deletion-crash',
  'faults/pool-exhausted',
  'process/drain',
  'packs/revision-crash',
  'telemetry/tracing',
  'scale/query-plans',
  'registry/distribution/transfer',
  'database/pgbouncer',
  'database/session',
  'consistency/check-consistency',
  'federation/routers',
  'roles/detach-pack-from-roles',
  'packs/deletion-race',
  'faults/clock-skew',
  'faults/silent-database',
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
