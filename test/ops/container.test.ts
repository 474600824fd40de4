import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../src/config.ts';

const root = new URL('../../', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
const { scripts } = JSON.parse(read('package.json'));

/** Instructions with their arguments; continued lines joined. */
const instructions = read('Dockerfile')
  .replaceAll(/\\\n\s*/g, ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split(' '));
const all = (name: string) =>
  instructions.filter(([instruction]) => instruction === name).map(([, ...rest]) => rest);

test('the image copies only files that exist and that .dockerignore lets through', () => {
  const allowed = read('.dockerignore').split('\n');
  const sources = all('COPY')
    .filter(([first]) => !first?.startsWith('--from'))
    .flatMap((args) => args.slice(0, -1));
  expect(sources).toContain('src');
  for (const source of sources) {
    expect(existsSync(new URL(source, root)), source).toBe(true);
    expect(allowed, source).toContain(`!${source}`);
  }
});

test('the image runs the server itself, on a Node that can, as a user without rights', () => {
  for (const [image] of all('FROM')) expect(image).toMatch(/^node:(\d+)-slim$/);
  expect(all('USER').at(-1)).toEqual(['node']);
  const [node, ...args] = JSON.parse(all('CMD').at(-1)?.join(' ') ?? '[]');
  const script = args.pop() ?? '';
  expect([node, script]).toEqual(['node', 'src/main.ts']);
  // As `npm start` does.
  expect(scripts.start).toBe([node, ...args, 'src/start.js'].join(' '));
  expect(existsSync(new URL(script, root))).toBe(true);
});

test('the health check is a program that Node accepts, against a route that exists', () => {
  const [check = ''] = all('HEALTHCHECK').map((args) => args.join(' '));
  const [node, flag, program = ''] = JSON.parse(check.slice(check.indexOf('[')));
  expect([node, flag]).toEqual(['node', '-e']);
  expect(() => new Function(program)).not.toThrow();
  expect(program).toContain('/healthz');
});

/** YAML's merge keys, as docker compose reads them. */
const compose = parse(read('compose.yaml'), { merge: true });
const gateways: Record<string, Record<string, never>>[] = Object.entries(compose.services)
  .filter(([name]) => name.startsWith('gateway'))
  // As the file writes them; what is looked up below is asserted.
  .map(([, service]) => service as never);

test('the compose file starts two gateways with variables that they accept, and all that they need', () => {
  expect(gateways).toHaveLength(2);
  const ports = gateways.map(({ ports }) => ports?.[0]);
  expect(new Set(ports).size).toBe(2);
  const { services, volumes } = compose;
  for (const gateway of gateways) {
    const config = readConfig(gateway.environment ?? {});
    expect(config).toMatchObject({
      databaseUrl: expect.stringContaining('@pgbouncer:6432/packs?pgbouncer=prepared'),
      databaseListenUrl: expect.stringContaining('@postgres:5432/packs'),
      registry: { url: new URL('http://registry:5000') },
    });
    expect(gateway.read_only).toBe(true);
    expect(gateway.volumes).toEqual(all('VOLUME').flat());
    for (const needed of Object.keys(gateway.depends_on ?? {})) {
      expect(Object.keys(services)).toContain(needed);
    }
  }
  expect(services.registry.environment.REGISTRY_STORAGE_DELETE_ENABLED).toBe('true');
  for (const service of Object.values<{ volumes?: string[] }>(services)) {
    for (const [source = ''] of (service.volumes ?? []).map((volume) => volume.split(':'))) {
      if (source.startsWith('./')) expect(existsSync(new URL(source, root)), source).toBe(true);
      else if (!source.startsWith('/')) expect(Object.keys(volumes)).toContain(source);
    }
  }
});

test('the pooler and the standby of the compose file are set as its comments say', () => {
  const { services } = compose;
  const { context, dockerfile } = services.pgbouncer.build;
  const copied = read(`${context}/${dockerfile}`).match(/^COPY (.+) \S+$/m)?.[1] ?? '';
  for (const file of copied.split(' ')) {
    expect(existsSync(new URL(`${context}/${file}`, root)), file).toBe(true);
  }
  const pooler = Object.fromEntries(
    [...read(`${context}/pgbouncer.ini`).matchAll(/^(\w+) = (.+)$/gm)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
  expect(pooler).toMatchObject({ pool_mode: 'transaction', listen_port: '6432' });
  // As many names as a pool gives to its statements.
  expect(Number(pooler.max_prepared_statements)).toBeGreaterThanOrEqual(500);
  // The standby calls itself what the primary waits for.
  expect(read('ops/compose/standby.sh')).toContain('application_name=standby');
  expect(read('ops/compose/primary.sh')).toContain("synchronous_standby_names = 'standby'");
});
