import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import { selfSigned } from '../../support/docker-registry.ts';
import { startProxy } from '../../support/forward-proxy.ts';
import { type Script, startHostileRegistry } from '../../support/hostile-registry.ts';
import { imageOf, repository, tag } from './images.ts';

const name = repository('packs/acme/proxied');
const image = imageOf('proxied');
const found: Script = () => ({ status: 200, body: image.manifest });

async function open(scheme: 'http' | 'https', except = '', refuses = false) {
  const directory = mkdtempSync(join(tmpdir(), 'proxy-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const pair = scheme === 'https' ? selfSigned(directory) : undefined;
  const hostile = await startHostileRegistry(found, pair);
  const proxy = await startProxy(refuses);
  const registry = createDistributionRegistry({
    // For http a name that the proxy alone can look up; a certificate names this machine.
    url: new URL(`${scheme}://${pair ? 'localhost' : 'registry.invalid'}:${hostile.url.port}`),
    deadlineMs: 3_000,
    proxy: { http: proxy.url, https: proxy.url, except },
    ...(pair === undefined ? {} : { ca: pair.certificate }),
  });
  onTestFinished(async () => {
    await registry.close();
    await hostile.stop();
  });
  return { read: () => registry.readManifest(name, tag('v1')), asked: proxy.asked, hostile };
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

test('a proxy that refuses is named as what refuses', async () => {
  const { read } = await open('https', '', true);
  expect(await read()).toMatchObject({
    reason: 'UNREACHABLE',
    detail: expect.stringContaining('HTTPS_PROXY'),
  });
});
