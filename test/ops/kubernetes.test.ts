/** ops/kubernetes against the service itself: variables, paths, labels and the image. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readConfig } from '../../src/config.ts';
import { settings } from '../../src/settings.ts';
import { startGateway } from '../support/gateway.ts';

const root = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const directory = 'ops/kubernetes/';

const labels = z.record(z.string(), z.string());
const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.string() }) });
const container = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).optional(),
  envFrom: z.array(z.object({ configMapRef: z.object({ name: z.string() }) })).default([]),
  env: z.array(
    z.object({
      name: z.string(),
      valueFrom: z.object({ secretKeyRef: z.object({ name: z.string(), key: z.string() }) }),
    }),
  ),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  securityContext: z.object({ readOnlyRootFilesystem: z.literal(true) }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
});
const template = z.object({
  metadata: z.object({ labels }),
  spec: z.object({
    terminationGracePeriodSeconds: z.number().optional(),
    containers: z.tuple([container]),
    volumes: z.array(z.object({ name: z.string() })),
  }),
});
const metadata = z.object({ name: z.string(), labels: labels.optional() });
const selected = z.object({ matchLabels: labels });

const load = <T>(file: string, kind: string, schema: z.ZodType<T>): T => {
  const document = parse(read(`${directory}${file}`));
  expect(document.kind, file).toBe(kind);
  return schema.parse(document);
};

const deployment = load(
  'deployment.yaml',
  'Deployment',
  z.object({ metadata, spec: z.object({ selector: selected, template }) }),
);
const job = load('migration-job.yaml', 'Job', z.object({ spec: z.object({ template }) }));
const service = load(
  'service.yaml',
  'Service',
  z.object({
    metadata,
    spec: z.object({
      selector: labels,
      ports: z.array(z.object({ name: z.string(), targetPort: z.string() })),
    }),
  }),
);
const config = load(
  'config.yaml',
  'ConfigMap',
  z.object({ metadata, data: z.record(z.string(), z.string()) }),
);
const monitor = load(
  'service-monitor.yaml',
  'ServiceMonitor',
  z.object({
    spec: z.object({
      selector: selected,
      endpoints: z.array(z.object({ port: z.string(), path: z.string() })).min(1),
    }),
  }),
);
const budget = load(
  'disruption-budget.yaml',
  'PodDisruptionBudget',
  z.object({ spec: z.object({ selector: selected, maxUnavailable: z.number() }) }),
);
const autoscaler = load(
  'autoscaler.yaml',
  'HorizontalPodAutoscaler',
  z.object({
    spec: z.object({
      scaleTargetRef: z.object({ kind: z.string(), name: z.string() }),
      minReplicas: z.number(),
      maxReplicas: z.number(),
    }),
  }),
);

const pods = [deployment.spec.template, job.spec.template];
const [gateway] = deployment.spec.template.spec.containers;
const [migration] = job.spec.template.spec.containers;

test('every variable is one that the service reads, with a value that it accepts', () => {
  const secrets = [gateway, migration].flatMap(({ env }) => env);
  const names = [...Object.keys(config.data), ...secrets.map(({ name }) => name)];
  for (const name of names) expect(Object.keys(settings), name).toContain(name);
  const secret = Object.fromEntries(
    secrets.map(({ name }) => [name, settings[name as keyof typeof settings].example]),
  );
  const key = `sk_${'a'.repeat(64)}`;
  expect(() => readConfig({ ...config.data, ...secret, BOOTSTRAP_API_KEY: key })).not.toThrow();
  expect(gateway.envFrom).toEqual([{ configMapRef: { name: config.metadata.name } }]);
});

test('what the secret holds is what its README has it made of', () => {
  const text = read(`${directory}README.md`);
  for (const { valueFrom } of [...gateway.env, ...migration.env]) {
    const { name, key } = valueFrom.secretKeyRef;
    expect(text).toContain(`secret generic ${name}`);
    expect(text).toMatch(new RegExp(`\\b${key}\\b`));
  }
  for (const [, url = ''] of text.matchAll(/DATABASE_URL='([^']+)'/g)) {
    expect(() => readConfig({ DATABASE_URL: url })).not.toThrow();
  }
});

test('every probe, and Prometheus, asks for what is answered', async () => {
  const { app } = await startGateway({ database: 'postgres' });
  const { startupProbe, livenessProbe, readinessProbe, ports } = gateway;
  const probes = [startupProbe, livenessProbe, readinessProbe].map((one) => one?.httpGet);
  expect(probes.map((one) => one?.path)).toEqual(['/healthz', '/healthz', '/readyz']);
  for (const path of [...probes, ...monitor.spec.endpoints].map((one) => one?.path)) {
    const response = await app.fetch(new Request(`http://gateway${path}`));
    expect(response.status, path).toBe(200);
  }
  const [port] = ports ?? [];
  for (const one of probes) expect(one?.port).toBe(port?.name);
  expect(read('Dockerfile')).toContain(`PORT=${port?.containerPort}`);
  expect(service.spec.ports.map(({ targetPort }) => targetPort)).toEqual([port?.name]);
  for (const endpoint of monitor.spec.endpoints) {
    expect(service.spec.ports.map(({ name }) => name)).toContain(endpoint.port);
  }
});

test('what selects finds the gateways, and not the migration', () => {
  const { labels: own } = deployment.spec.template.metadata;
  const selectors = [
    deployment.spec.selector.matchLabels,
    service.spec.selector,
    budget.spec.selector.matchLabels,
  ];
  for (const selector of selectors) {
    expect(Object.keys(selector)).not.toEqual([]);
    expect(own).toMatchObject(selector);
    expect(job.spec.template.metadata.labels).not.toMatchObject(selector);
  }
  expect(service.metadata.labels).toMatchObject(monitor.spec.selector.matchLabels);
  const { kind, name } = autoscaler.spec.scaleTargetRef;
  expect([kind, name]).toEqual(['Deployment', deployment.metadata.name]);
  expect(autoscaler.spec.minReplicas).toBeGreaterThan(budget.spec.maxUnavailable);
});

test('the image is that of the compose file, of this version, and runs programs that exist', () => {
  const { services } = parse(read('compose.yaml'), { merge: true });
  const { version } = JSON.parse(read('package.json'));
  expect(services.gateway.image).toBe(`pack-gateway:${version}`);
  for (const { image } of [gateway, migration]) expect(image).toBe(services.gateway.image);
  const [node, script = ''] = migration.command ?? [];
  expect(node).toBe('node');
  expect(existsSync(new URL(script, root))).toBe(true);
  for (const { spec } of pods) {
    const [{ volumeMounts }] = spec.containers;
    expect(volumeMounts.map(({ mountPath }) => mountPath)).toEqual(['/data', '/tmp']);
    const volumes = spec.volumes.map(({ name }) => name);
    expect(volumeMounts.map(({ name }) => name)).toEqual(volumes);
  }
  // The longest drain, and what it takes to be killed.
  const grace = deployment.spec.template.spec.terminationGracePeriodSeconds;
  expect(grace).toBeGreaterThan(15);
});

test('what kustomize is given is all there is but the migration', () => {
  const { resources } = parse(read(`${directory}kustomization.yaml`));
  const files = readdirSync(new URL(directory, root)).filter((file) => file.endsWith('.yaml'));
  const apart = ['kustomization.yaml', 'migration-job.yaml'];
  expect([...resources].sort()).toEqual(files.filter((file) => !apart.includes(file)).sort());
});
