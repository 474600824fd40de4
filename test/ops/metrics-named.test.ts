import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { startGateway } from '../support/gateway.ts';

const read = (file: string) => readFileSync(new URL(`../../ops/${file}`, import.meta.url), 'utf8');

const dashboard = z
  .object({
    panels: z.array(
      z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).min(1) }),
    ),
  })
  .parse(JSON.parse(read('grafana-dashboard.json')));
const alerts = z
  .object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            alert: z.string(),
            expr: z.string(),
            annotations: z.object({ summary: z.string(), action: z.string() }),
          }),
        ),
      }),
    ),
  })
  .parse(parse(read('alerts.yaml')));

const queries: [string, string][] = [
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }): [string, string] => [`panel ${title}`, expr]),
  ),
  ...alerts.groups.flatMap(({ rules }) =>
    rules.map(({ alert, expr }): [string, string] => [`alert ${alert}`, expr]),
  ),
];

/** The metrics that a query selects, and the labels it matches on each. */
const selected = (expr: string) =>
  [...expr.matchAll(/\b((?:pack_gateway|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', matchers = '']) => ({
      name,
      labels: [...matchers.matchAll(/(\w+)\s*(?:=~|!=|=)/g)].map(([, label = '']) => label),
    }),
  );

test('every metric that the dashboard and the alerts name is served, with the labels they use', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await gateway.pack('measured');
  await gateway.graphql('mutation { deletePack(id: "nothing") { __typename } }');
  const text = await (await gateway.app.fetch(new Request('http://gateway/metrics'))).text();
  const served = new Map<string, Set<string>>();
  for (const line of text.split('\n').filter((each) => each !== '' && !each.startsWith('#'))) {
    const [, name = '', labels = ''] = /^(\w+)(?:\{(.*)\})? /.exec(line) ?? [];
    const known = served.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    served.set(name, known);
  }
  expect(queries.length).toBeGreaterThan(10);
  for (const [where, expr] of queries) {
    const metrics = selected(expr);
    expect(metrics, where).not.toEqual([]);
    for (const { name, labels } of metrics) {
      expect([...served.keys()], where).toContain(name);
      // Prometheus adds `job` when it scrapes.
      const ours = labels.filter((label) => label !== 'job');
      expect([...(served.get(name) ?? [])], `${where}: ${name}`).toEqual(
        expect.arrayContaining(ours),
      );
    }
  }
});
