import type { Attack } from '../attack.ts';

const EVENTS = 'subscription { packEvents { type } }';

/** Streams in their hundreds, and tokens in their hundreds while others listen. */
export const streams: readonly Attack[] = [
  {
    name: 'many streams at once',
    run: (target) => Promise.all(Array.from({ length: 600 }, () => target.openAndLeave(EVENTS))),
  },
  {
    name: 'wrong tokens from one address',
    run: async (target) => {
      const replies = [];
      for (let time = 0; time < 8; time++) {
        replies.push(
          ...(await Promise.all(
            Array.from({ length: 50 }, (_, at) =>
              target.send('{}', { authorization: `Bearer sk_${time}x${at}${'0'.repeat(32)}` }),
            ),
          )),
        );
      }
      return replies;
    },
  },
];
