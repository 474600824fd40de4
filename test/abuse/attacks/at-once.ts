import { setTimeout as pause } from 'node:timers/promises';
import type { Attack, Reply } from '../attack.ts';
import type { Target } from '../target.ts';

const PAGES = '{ agentRoles(first: 120) { nodes { packs(first: 200) { nodes { id } } } } }';
const LONG = '{ packs(first: 100) { nodes { capabilities } } }';

const many = <Value>(count: number, make: (at: number) => Promise<Value>): Promise<Value[]> =>
  Promise.all(Array.from({ length: count }, (_, at) => make(at)));

/** Connections whose sender, or reader, has stopped; they are cut when the service has had time to fall for it. */
async function stalled(
  target: Target,
  count: number,
  send: (target: Target) => ReturnType<Target['stall']>,
): Promise<readonly Reply[]> {
  const sockets = await many(count, () => send(target));
  await pause(2_000);
  for (const socket of sockets) socket.destroy();
  return [];
}

/** What is within its budget, many times at the same moment. */
export const atOnce: readonly Attack[] = [
  { name: 'the largest answers', run: (target) => many(20, () => target.graphql(PAGES)) },
  { name: 'the longest answers', run: (target) => many(20, () => target.graphql(LONG)) },
  {
    name: 'the longest pages of REST',
    run: (target) => many(20, () => target.rest('/v1/packs?limit=200')),
  },
  {
    name: 'long answers that nobody reads',
    run: (target) =>
      stalled(target, 60, (one) => one.stall('/graphql', JSON.stringify({ query: LONG }))),
  },
  {
    name: 'large bodies that never end',
    run: (target) =>
      stalled(target, 200, (one) => one.stall('/graphql', ' '.repeat(1_000_000), 1_000_001)),
  },
  {
    name: 'large bodies of brackets',
    run: (target) =>
      many(10, () =>
        target.send(`{"query":"{ __typename }","variables":{"a":[${'[],'.repeat(330_000)}[]]}}`, {
          'content-type': 'application/json',
        }),
      ),
  },
  {
    name: 'streams of long documents',
    run: (target) =>
      many(100, (at) =>
        target.openAndLeave(
          `subscription { packEvents { ${`a${at}: type `.padEnd(40)} ${'type '.repeat(1_900)} } }`,
        ),
      ),
  },
];
