import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttp2Server, createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  createDistributionRegistry,
  type DistributionOptions,
} from '../../../src/registry/distribution/distribution-registry.ts';
import { type KeyPair, selfSigned, startDockerRegistry } from '../../support/docker-registry.ts';
import {
  type Script,
  startHostileRegistry,
  startRawRegistry,
} from '../../support/hostile-registry.ts';
import { installed } from '../../support/installed.ts';
import { imageOf, repository, tag, upload } from './images.ts';

const image = imageOf('network');
const { digest } = image.descriptor;
const name = repository('packs/acme/network');
const retryable = (reason: string) => ({ kind: 'failed', reason, retryable: true });
const permanent = (reason: string) => ({ kind: 'failed', reason, retryable: false });

/** For processes of their own. */
const adapter = new URL(
  '../../../src/registry/distribution/distribution-registry.ts',
  import.meta.url,
);

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});
function owned<T extends { stop(): Promise<void> }>(thing: T): T {
  cleanups.push(() => thing.stop());
  return thing;
}
function connect(url: URL, options: Partial<DistributionOptions> = {}) {
  const registry = createDistributionRegistry({ url, deadlineMs: 2_000, ...options });
  cleanups.push(() => registry.close());
  return registry;
}

const reading = (path: string) => {
  if (path.includes('/tags/list')) return { status: 200, body: '{"tags":null}' };
  if (path.includes('/referrers/')) return { status: 404, body: 'not found' };
  return { status: 200, body: image.manifest };
};

let pair: KeyPair;
const directory = mkdtempSync(join(tmpdir(), 'network-test-'));
beforeAll(() => {
  pair = selfSigned(directory);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('when no answer comes', () => {
  it('a refused connection is unreachable, and worth another try', async () => {
    const gone = await startRawRegistry(() => {});
    await gone.stop();
    expect(await connect(gone.url).purge(name, digest)).toMatchObject(retryable('UNREACHABLE'));
  });

  it('an unknown host is unreachable', async () => {
    const registry = connect(new URL('http://registry.invalid'));
    expect(await registry.purge(name, digest)).toMatchObject(retryable('UNREACHABLE'));
  });

  it('a connection reset before the answer is unreachable', async () => {
    const raw = owned(
      await startRawRegistry((socket) => socket.once('data', () => socket.resetAndDestroy())),
    );
    expect(await connect(raw.url).purge(name, digest)).toMatchObject(retryable('UNREACHABLE'));
  });

  it('a connection lost after the 202 was visible is no success; the next try finds it gone', async () => {
    let deletes = 0;
    const hostile = owned(
      await startHostileRegistry(({ method, path }) => {
        if (method !== 'DELETE') return reading(path);
        if (++deletes > 1) {
          return { status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}' };
        }
        return (_, response) => {
          response.writeHead(202, { 'content-length': '10' }).flushHeaders();
          setTimeout(() => response.socket?.resetAndDestroy(), 20);
        };
      }),
    );
    expect(await connect(hostile.url).purge(name, digest)).toEqual({ kind: 'purged' });
    expect(deletes).toBe(2);
  });

  it('what does not speak HTTP is unreachable', async () => {
    const raw = owned(
      await startRawRegistry((socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n'))),
    );
    expect(await connect(raw.url).purge(name, digest)).toMatchObject(retryable('UNREACHABLE'));
  });

  it.skipIf(!installed('docker-registry'))(
    'a frozen registry ends at the deadline, retries included, and works again when it thaws',
    async () => {
      const docker = owned(await startDockerRegistry());
      await upload(docker.url, name, image, tag('v1'));
      const registry = connect(docker.url, { deadlineMs: 700 });
      docker.freeze();
      const started = performance.now();
      expect(await registry.purge(name, digest)).toMatchObject(retryable('TIMEOUT'));
      expect(Math.abs(performance.now() - started - 700)).toBeLessThan(300);
      docker.resume();
      expect(await registry.purge(name, digest)).toMatchObject({
        kind: expect.stringMatching(/purged|already_gone/),
      });
    },
  );

  it('a body that trickles ends at the deadline', async () => {
    const hostile = owned(
      await startHostileRegistry(({ method, path }) => {
        if (method !== 'DELETE') return reading(path);
        return (_, response) => {
          response.writeHead(202, { 'content-type': 'application/json' });
          const drip = setInterval(() => response.write(' '), 50);
          response.once('close', () => clearInterval(drip));
        };
      }),
    );
    const started = performance.now();
    const outcome = await connect(hostile.url, { deadlineMs: 600 }).purge(name, digest);
    expect(outcome).toMatchObject(retryable('TIMEOUT'));
    expect(Math.abs(performance.now() - started - 600)).toBeLessThan(300);
  });

  it('the caller’s signal ends a purge early', async () => {
    const raw = owned(await startRawRegistry(() => {}));
    const started = performance.now();
    const signal = AbortSignal.timeout(200);
    const outcome = await connect(raw.url, { deadlineMs: 5_000 }).purge(name, digest, { signal });
    expect(outcome).toMatchObject(retryable('TIMEOUT'));
    expect(performance.now() - started).toBeLessThan(500);
  });

  it('an error body of 250 MB is neither read nor kept', async () => {
    let sent = 0;
    const chunk = Buffer.alloc(256 * 1024, 'x');
    const hostile = owned(
      await startHostileRegistry(({ method, path }) => {
        if (method !== 'DELETE') return reading(path);
        return (_, response) => {
          response.writeHead(500, { 'content-length': String(250_000_000) });
          const more = () => {
            while (!response.destroyed && sent < 1_000_000_000) {
              sent += chunk.length;
              if (!response.write(chunk)) return void response.once('drain', more);
            }
          };
          more();
        };
      }),
    );
    const before = process.memoryUsage().rss;
    expect(await connect(hostile.url).purge(name, digest)).toMatchObject(
      retryable('REGISTRY_ERROR'),
    );
    // Four tries; what the sockets' buffers swallowed is all that left the server.
    expect(sent).toBeLessThan(60_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(120_000_000);
  });
});

describe('TLS', () => {
  const certified = () =>
    startHostileRegistry(
      ({ method, path }) => (method === 'DELETE' ? { status: 202 } : reading(path)),
      pair,
    );

  it('an untrusted certificate stays so until someone repairs it', async () => {
    const hostile = owned(await certified());
    expect(await connect(hostile.url).purge(name, digest)).toMatchObject(permanent('UNREACHABLE'));
    expect(hostile.seen).toHaveLength(0);
  });

  it('the extra CA makes it trusted', async () => {
    const hostile = owned(await certified());
    const registry = connect(hostile.url, { ca: pair.certificate });
    expect(await registry.purge(name, digest)).toEqual({ kind: 'purged' });
  });

  it('the extra CA takes nothing from those that Node has been given', async () => {
    const hostile = owned(await startHostileRegistry(() => ({ status: 200, body: '{}' }), pair));
    const other = mkdtempSync(join(directory, 'other-'));
    const { certificateFile } = selfSigned(other);
    const script = `
      const { readFileSync } = await import('node:fs');
      const { createDistributionRegistry } = await import(${JSON.stringify(adapter.href)});
      const ca = readFileSync(${JSON.stringify(certificateFile)}, 'utf8');
      const url = new URL(${JSON.stringify(hostile.url.href)});
      const registry = createDistributionRegistry({ url, deadlineMs: 5_000, ca });
      console.log((await registry.check()).kind);
      await registry.close();`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script],
      { env: { ...process.env, NODE_EXTRA_CA_CERTS: pair.certificateFile } },
    );
    expect(stdout.trim()).toBe('ok');
  });

  it('a registry that takes itself to be without it is sent uploads where all else goes', async () => {
    const script: Script = ({ method, path, headers }) => {
      if (method === 'HEAD') return { status: 404 };
      const location = `http://${headers.host?.split(':')[0]}:8080/v2/uploads/1?_state=a`;
      if (method === 'POST') return { status: 202, headers: { location } };
      const isUpload = path.startsWith('/v2/uploads/1?_state=a&digest=sha256');
      if (isUpload) return { status: 201 };
      return path.includes('/manifests/')
        ? { status: 201, headers: { 'docker-content-digest': digest } }
        : { status: 500 };
    };
    const hostile = owned(await startHostileRegistry(script, pair));
    const registry = connect(hostile.url, { ca: pair.certificate });
    expect(await registry.push(name, tag('v1'), image)).toEqual({ kind: 'pushed' });
  });

  it.each([
    ['without TLS', (host: string) => `http://${host.split(':')[0]}/token`, true],
    ['without TLS at its port', (host: string) => `http://${host}/token`, true],
    [
      'without TLS at another port',
      (host: string) => `http://${host.split(':')[0]}:8081/token`,
      false,
    ],
    ['without TLS elsewhere', () => 'http://tokens.invalid/token', false],
  ])('a registry that takes its token service to be %s', async (_, realm, isAsked) => {
    const script: Script = ({ path, headers }) => {
      if (path.startsWith('/token')) return { status: 200, body: '{"token":"t"}' };
      if (headers.authorization) return { status: 200, body: '{}' };
      const challenge = `Bearer realm="${realm(headers.host ?? '')}",service="s"`;
      return { status: 401, headers: { 'www-authenticate': challenge } };
    };
    const hostile = owned(await startHostileRegistry(script, pair));
    const registry = connect(hostile.url, { ca: pair.certificate });
    const outcome = isAsked ? { kind: 'ok' } : { reason: 'UNAUTHORIZED', retryable: false };
    expect(await registry.check()).toMatchObject(outcome);
  });

  it('http:// to a TLS port (OpenSSL)', async () => {
    const hostile = owned(await certified());
    const plain = new URL(`http://${hostile.url.host}`);
    expect(await connect(plain).purge(name, digest)).toMatchObject({ reason: 'UNREACHABLE' });
  });

  it.skipIf(!installed('docker-registry'))('http:// to a TLS port (docker-registry)', async () => {
    const docker = owned(await startDockerRegistry({ tls: true }));
    const plain = new URL(`http://${docker.url.host}`);
    expect(await connect(plain).purge(name, digest)).toMatchObject(permanent('UNREACHABLE'));
    const registry = connect(docker.url, { ca: docker.certificate });
    expect(await registry.check()).toEqual({ kind: 'ok' });
  });

  it.each(['https', 'http'] as const)(
    'a registry that speaks only HTTP/2, by %s',
    async (scheme) => {
      const server =
        scheme === 'https'
          ? createSecureServer({ cert: pair.certificate, key: pair.key, allowHTTP1: false })
          : createHttp2Server();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      cleanups.push(() => void server.close());
      // A TCP server that listens has an address with a port.
      const { port } = server.address() as AddressInfo;
      const url = new URL(`${scheme}://127.0.0.1:${port}`);
      expect(await connect(url, { ca: pair.certificate }).purge(name, digest)).toMatchObject({
        ...permanent('UNREACHABLE'),
        detail: expect.stringContaining('only HTTP/2'),
      });
    },
  );

  it('https:// to a plain port', async () => {
    const hostile = owned(await startHostileRegistry(() => ({ status: 200 })));
    const secure = new URL(`https://${hostile.url.host}`);
    expect(await connect(secure).purge(name, digest)).toMatchObject(permanent('UNREACHABLE'));
  });
});

it('the process ends once the registry is closed', () => {
  const script = `
    const { createDistributionRegistry } = await import(${JSON.stringify(adapter.href)});
    const registry = createDistributionRegistry({ url: new URL('http://127.0.0.1:1'), deadlineMs: 5000 });
    console.log((await registry.check()).reason);
    await registry.close();`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 4_000,
  });
  expect(output.toString().trim()).toBe('UNREACHABLE');
});
