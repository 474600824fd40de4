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

test('the compose file starts what the service needs, with variables that it accepts', () => {
  const { services, volumes } = parse(read('compose.yaml'));
  expect(readConfig(services.gateway.environment)).toMatchObject({
    databaseUrl: expect.stringContaining('@postgres:5432/'),
    registry: { url: new URL('http://registry:5000') },
  });
  expect(Object.keys(services)).toEqual(['gateway', 'postgres', 'registry']);
  expect(services.gateway.read_only).toBe(true);
  expect(services.registry.environment.REGISTRY_STORAGE_DELETE_ENABLED).toBe('true');
  for (const service of Object.values<{ volumes?: string[] }>(services)) {
    for (const volume of service.volumes ?? []) {
      expect(Object.keys(volumes)).toContain(volume.split(':')[0]);
    }
  }
  const declared = all('VOLUME').flat();
  const mounted = services.gateway.volumes.map((volume: string) => volume.split(':')[1]);
  expect(mounted).toEqual(declared);
});
