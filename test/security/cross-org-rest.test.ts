/** Tenancy of the REST twin, probed by what its OpenAPI document says there is. */
import { describe, expect, test } from 'vitest';
import { dumpAll } from './cross-org/dump.ts';
import { Prober, probedDatabases } from './cross-org/prober.ts';
import { restProbes } from './cross-org/rest-probes.ts';
import { createWorld, VICTIM } from './cross-org/world.ts';

describe.each(probedDatabases)('on %s', (database) => {
  test('what belongs to another org and what does not exist get the same answer from every route', {
    timeout: 300_000,
  }, async () => {
    const world = await createWorld(database);
    const { gateway } = world;
    const { body: document } = await gateway.rest('GET', '/v1/openapi.json');
    const before = await dumpAll(gateway, VICTIM);
    const prober = new Prober(world);
    const probes = restProbes(document, world);
    const order = ['id', 'cursor', 'image', 'text'];
    probes.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    const wrong: string[] = [];
    for (const probe of probes) wrong.push(...(await prober.probe(probe)));
    expect(wrong.map((one) => one.slice(0, 1_000))).toEqual([]);
    expect(prober.leaksInLog()).toEqual([]);
    expect(await dumpAll(gateway, VICTIM)).toEqual(before);
  });
});
