/** Everything that an org can be shown, read whole: nothing of another org is in it. */
import { isObjectType } from 'graphql';
import { describe, expect, test } from 'vitest';
import { attachPack, role } from '../support/deletion.ts';
import { longDatabaseKinds } from '../support/extent.ts';
import { dumpAll } from './cross-org/dump.ts';
import { documentOf, graphqlRequest, schemaOf } from './cross-org/graphql-operations.ts';
import { liveOwnLife } from './cross-org/own-life.ts';
import { Prober, permissionSets } from './cross-org/prober.ts';
import { readEverything } from './cross-org/reading.ts';
import { collectFields } from './cross-org/selection.ts';
import { createWorld, VICTIM } from './cross-org/world.ts';

/** What the own life of an org ends with, for whoever follows it. */
const LAST_EVENTS: Readonly<Record<string, string>> = {
  packEvents: 'PACK_DELETED',
  roleEvents: 'AGENT_ROLE_UNARCHIVED',
};

/** What the prober hears of a stream until there is `last` in it. */
async function listen(response: Response, last: string): Promise<string> {
  if (response.body === null) throw new Error('there is no stream');
  let heard = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    heard += chunk;
    if (heard.includes(last)) break;
  }
  return heard;
}

describe.each(longDatabaseKinds)('on %s', (database) => {
  test('no object of any type holds anything of another org, down to its last field', {
    timeout: 300_000,
  }, async () => {
    const world = await createWorld(database);
    const { gateway, victimKey, keys, own } = world;
    const schema = await schemaOf(gateway);
    const prober = new Prober(world);
    const before = await dumpAll(gateway, VICTIM);
    const subscription = Object.values(schema.getSubscriptionType()?.getFields() ?? {});
    const streams = subscription.flatMap((field) =>
      permissionSets.map(async (as) => {
        const request = graphqlRequest(documentOf(schema, 'subscription', field, {}, 4), {});
        request.headers.set('accept', 'text/event-stream');
        request.headers.set('authorization', `Bearer ${keys[as]}`);
        return listen(await gateway.app.fetch(request), LAST_EVENTS[field.name] ?? 'none');
      }),
    );
    const answers = await liveOwnLife(world, prober, schema);
    for (const as of permissionSets) {
      answers.push(...(await readEverything(world, prober, schema, as)));
    }
    const heard = await Promise.all(streams);
    const leaks = answers
      .filter((answer) => prober.leaks(answer).length > 0)
      .map((answer) => `${prober.leaks(answer)} in ${answer.text}`.slice(0, 1_000));
    expect(leaks).toEqual([]);
    for (const text of heard) expect(prober.leaks({ text, headers: '' })).toEqual([]);
    expect(prober.leaksInLog()).toEqual([]);
    expect(await dumpAll(gateway, VICTIM)).toEqual(before);

    const seen = new Set<string>();
    for (const { body } of answers) collectFields(body.data, seen);
    for (const text of heard) {
      for (const [, data = 'null'] of text.matchAll(/^data: (.+)$/gm)) {
        collectFields(JSON.parse(data), seen);
      }
    }
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const all = Object.values(schema.getTypeMap())
      .filter(isObjectType)
      .filter((type) => !type.name.startsWith('_') && !roots.includes(type))
      .flatMap((type) => Object.keys(type.getFields()).map((name) => `${type.name}.${name}`));
    // What is new in the schema has to be met on the way: add to cross-org/own-life.ts what leads there.
    expect(all.filter((field) => !seen.has(field))).toEqual([]);
    expect(await attachPack(gateway, own.role, own.pack, victimKey)).toMatchObject({
      __typename: 'NotFound',
    });
    expect(await role(gateway, 'still-there', [], victimKey)).toMatch(/^role_/);
  });
});
