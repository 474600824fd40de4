import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { readExceptions } from '../../../src/outgoing/exceptions.ts';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import { selfSigned } from '../../support/docker-registry.ts';
import { startProxy } from '../../support/forward-proxy.ts';
import { type Script, startHostileRegistry } from '../../support/hostile-registry.ts';
import { imageOf, repository, tag } from './images.ts';

const name = repository('packs/acme/proxied');
const image = imageOf('proxied');
const found: Script = () => ({ status: 200, body: image.manifest });

async function open(
  scheme: 'http' | 'https',
  except = '',
  refuses = false,
  { of = ['http', 'https'], account = '' }: { of?: readonly string[]; account?: string } = {},
) {
  const directory = mkdtempSync(join(tmpdir(), 'proxy-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const pair = scheme === 'https' ? selfSigned(directory) : undefined;
  const hostile = await startHostileRegistry(found, pair);
  const proxy = await startProxy(refuses);
  const registry = createDistributionRegistry({
    // For http a name that the proxy alone can look up; a certificate names this machine.
    url: new URL(`${scheme}://${pair ? 'localhost' : 'registry.invalid'}:${hostile.url.port}`),
    deadlineMs: 3_000,
    proxy: {
      http: of.includes('http') ? proxy.url.replace('://', `://${account}`) : null,
      https: of.includes('https') ? proxy.url.replace('://', `://${account}`) : null,
      except,
    },
    ...(pair === undefined ? {} : { ca: pair.certificate }),
  });
  onTestFinished(async () => {
    await registry.close();
    await hostile.stop();
  });
  const { asked, accounts } = proxy;
  return { read: () => registry.readManifest(name, tag('v1')), asked, accounts, hostile };
}

test('a registry without TLS is asked for through the proxy, by its whole address', async () => {
  const { read, asked, hostile } = await open('http');
  expect(await read()).toMatchObject({ kind: 'found' });
  const { port } = hostile.url;
  expect(asked).toEqual([`GET http://registry.invalid:${port}/v2/${name}/manifests/v1`]);
});

test('a registry with TLS is reached through a tunnel, and its certificate checked', async () => {
  const { read, asked, hostile } = await open('https');
  expect(await read()).toMatchObject({ kind: 'found' });
  expect(asked).toEqual([`CONNECT localhost:${hostile.url.port}`]);
});

test('NO_PROXY holds, for subdomains too', async () => {
  for (const except of ['registry.invalid', '.invalid', '*']) {
    const { read, asked } = await open('http', except);
    expect(await read()).toMatchObject({ reason: 'UNREACHABLE' });
    expect(asked).toEqual([]);
  }
});

test.each([
  ['registry.internal', 'https://registry.internal', true],
  ['registry.internal', 'https://a.registry.internal:5000', true],
  ['registry.internal', 'https://otherregistry.internal', false],
  ['.internal', 'http://registry.internal', true],
  ['*.internal', 'http://registry.internal', true],
  ['registry.internal.', 'http://registry.internal', true],
  ['REGISTRY.internal', 'http://registry.INTERNAL.', true],
  ['a,*', 'https://registry.internal', true],
  ['a, b\tregistry.internal', 'https://registry.internal', true],
  ['registry.internal:443', 'https://registry.internal', true],
  ['registry.internal:80', 'http://registry.internal', true],
  ['registry.internal:5000', 'https://registry.internal', false],
  ['10.0.0.0/8', 'http://10.200.3.4:5000', true],
  ['10.0.0.0/8', 'http://11.0.0.1', false],
  ['10.1.2.3', 'http://10.1.2.3:5000', true],
  ['10.1.2.3:5001', 'http://10.1.2.3:5000', false],
  ['2.3.4', 'http://1.2.3.4', false],
  ['fd00::/8', 'http://[fd12::1]:5000', true],
  ['::1', 'http://[::1]:5000', true],
  ['[::1]:5000', 'http://[0:0:0:0:0:0:0:1]:5000', true],
  ['[::1]:5001', 'http://[::1]:5000', false],
  ['', 'http://registry.internal', false],
])('NO_PROXY=%s and %s: directly %s', (text, url, isDirect) => {
  expect(readExceptions(text)?.(new URL(url))).toBe(isDirect);
});

test.each([
  'http://registry.internal',
  'registry.internal/v2',
  '10.0.0.0/33',
  'a b@c',
  '[::1',
  ':80',
])('NO_PROXY=%s is refused', (text) => {
  expect(() => readConfig({ HTTP_PROXY: 'proxy:3128', NO_PROXY: text })).toThrow(/NO_PROXY/);
});

test('a proxy for one scheme is none for the other', async () => {
  const secure = await open('https', '', false, { of: ['http'] });
  expect(await secure.read()).toMatchObject({ kind: 'found' });
  expect(secure.asked).toEqual([]);
  const plain = await open('http', '', false, { of: ['https'] });
  expect(await plain.read()).toMatchObject({ reason: 'UNREACHABLE' });
  expect(plain.asked).toEqual([]);
});

test.each([
  ['user:p%40ss%3A%C3%BC@', 'user:p@ss:ü'],
  ['token@', 'token:'],
])('an account of the proxy is sent to it: %s', async (account, sent) => {
  for (const scheme of ['http', 'https'] as const) {
    const { read, accounts } = await open(scheme, '', false, { account });
    expect(await read()).toMatchObject({ kind: 'found' });
    expect(accounts).toEqual([`Basic ${Buffer.from(sent).toString('base64')}`]);
  }
});

test('an account that is no percent-encoding is refused at start', () => {
  expect(() => readConfig({ HTTPS_PROXY: 'http://user:100%@proxy:3128' })).toThrow(/%25/);
});

test('a proxy that refuses is named as what refuses', async () => {
  const { read } = await open('https', '', true);
  expect(await read()).toMatchObject({
    reason: 'UNREACHABLE',
    detail: expect.stringContaining('HTTPS_PROXY'),
  });
});
