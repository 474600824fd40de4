import { describe, expect, it } from 'vitest';
import { createDistributionRegistry } from '../../../src/registry/distribution/distribution-registry.ts';
import type { PurgeOutcome } from '../../../src/registry/registry.ts';
import { type Reply, registryError, startHostileRegistry } from '../../support/hostile-registry.ts';
import { imageOf, repository } from './images.ts';

const image = imageOf('classified');
const name = repository('packs/acme/classified');

/** A registry with one image, which answers each DELETE as given. */
async function purgeAnswered(answer: Reply): Promise<{ outcome: PurgeOutcome; deletes: number }> {
  let tags = ['v1'];
  const hostile = await startHostileRegistry(({ method, path }) => {
    if (method === 'DELETE') return answer;
    if (path.includes('/tags/list')) {
      const body = JSON.stringify({ tags });
      // It untags by itself: what is asked for after the deletion has none.
      tags = [];
      return { status: 200, body };
    }
    if (path.includes('/referrers/')) return { status: 404, body: '404 page not found' };
    return { status: 200, body: image.manifest };
  });
  const registry = createDistributionRegistry({ url: hostile.url, deadlineMs: 5_000 });
  try {
    const outcome = await registry.purge(name, image.descriptor.digest);
    return { outcome, deletes: hostile.seen.filter(({ method }) => method === 'DELETE').length };
  } finally {
    await registry.close();
    await hostile.stop();
  }
}

const html = {
  headers: { 'content-type': 'text/html' },
  body: '<!doctype html><title>Sign in</title>',
};
const text = (body: string) => ({ headers: { 'content-type': 'text/plain' }, body });
const json = (body: string) => ({ headers: { 'content-type': 'application/json' }, body });
const retryable = (reason = 'REGISTRY_ERROR') => ({ kind: 'failed', reason, retryable: true });
const permanent = (reason = 'REGISTRY_ERROR') => ({ kind: 'failed', reason, retryable: false });

const table: [answer: string, reply: Reply, outcome: object][] = [
  ['202 empty', { status: 202 }, { kind: 'purged' }],
  ['200 empty', { status: 200 }, { kind: 'purged' }],
  ['200 with JSON that is no error', { status: 200, ...json('{}') }, { kind: 'purged' }],
  ['204', { status: 204 }, { kind: 'purged' }],
  ['200 with HTML', { status: 200, ...html }, retryable()],
  ['202 with HTML', { status: 202, ...html }, retryable()],
  ['202 with errors', { ...registryError(202, 'UNKNOWN') }, retryable()],
  ['200 with half an error', { status: 200, ...json('{"errors":[{"code":"UN') }, retryable()],
  ['404 MANIFEST_UNKNOWN', registryError(404, 'MANIFEST_UNKNOWN'), { kind: 'already_gone' }],
  ['404 NAME_UNKNOWN', registryError(404, 'NAME_UNKNOWN'), { kind: 'already_gone' }],
  ['404 NOT_FOUND (Harbor)', registryError(404, 'NOT_FOUND'), { kind: 'already_gone' }],
  ['400 NOT_FOUND', registryError(400, 'NOT_FOUND'), permanent()],
  ['400 NAME_UNKNOWN (zot)', registryError(400, 'NAME_UNKNOWN'), { kind: 'already_gone' }],
  ['400 MANIFEST_UNKNOWN', registryError(400, 'MANIFEST_UNKNOWN'), { kind: 'already_gone' }],
  [
    '404 MANIFEST_UNKNOWN for a lost Accept header',
    registryError(
      404,
      'MANIFEST_UNKNOWN',
      'OCI manifest found but accept header does not support OCI manifests',
    ),
    retryable(),
  ],
  ['404 with HTML', { status: 404, ...html }, retryable()],
  ['404 empty', { status: 404 }, retryable()],
  ['404 with text', { status: 404, ...text('404 page not found') }, retryable()],
  [
    '404 with truncated JSON',
    { status: 404, ...json('{"errors":[{"code":"MANIFEST_UNKNOWN"') },
    retryable(),
  ],
  ['404 with no errors in the list', { status: 404, ...json('{"errors":[]}') }, retryable()],
  ['404 with another code', registryError(404, 'BLOB_UNKNOWN'), retryable()],
  [
    '404 with the code beyond 64 KiB',
    {
      status: 404,
      ...json(`{"pad":"${'x'.repeat(70_000)}","errors":[{"code":"MANIFEST_UNKNOWN"}]}`),
    },
    retryable(),
  ],
  ['500 MANIFEST_UNKNOWN', registryError(500, 'MANIFEST_UNKNOWN'), retryable()],
  ['405 UNSUPPORTED', registryError(405, 'UNSUPPORTED'), permanent('DELETE_UNSUPPORTED')],
  [
    '405 text with Allow: GET, HEAD',
    {
      status: 405,
      headers: { 'content-type': 'text/plain', allow: 'GET, HEAD' },
      body: 'Method not allowed',
    },
    retryable(),
  ],
  ['405 with HTML', { status: 405, ...html }, retryable()],
  ['405 DENIED', registryError(405, 'DENIED'), retryable()],
  [
    '403 read-only (Harbor)',
    registryError(403, 'DENIED', 'The system is in read only mode.'),
    retryable(),
  ],
  ['403 DENIED', registryError(403, 'DENIED'), permanent('UNAUTHORIZED')],
  ['400 DIGEST_INVALID', registryError(400, 'DIGEST_INVALID'), permanent()],
  ['400 with HTML', { status: 400, ...html }, retryable()],
  ['400 dangling tag that stays', registryError(400, 'GOOGLE_MANIFEST_DANGLING_TAG'), permanent()],
  ['401 without a challenge', registryError(401, 'UNAUTHORIZED'), permanent('UNAUTHORIZED')],
  ['408', { status: 408 }, retryable('TIMEOUT')],
  [
    '405 DENIED, read-only (Quay)',
    registryError(405, 'DENIED', 'System is currently read-only.'),
    retryable(),
  ],
  ['409', { status: 409 }, retryable()],
  ['409 TAG_IMMUTABLE (Quay)', registryError(409, 'TAG_IMMUTABLE'), permanent()],
  ['505', { status: 505 }, permanent()],
  ['412 (Harbor, immutable)', registryError(412, 'PRECONDITION'), permanent()],
  ['418 with an error of the registry', registryError(418, 'TEAPOT'), permanent()],
  ['418 without', { status: 418 }, retryable()],
  ['429', registryError(429, 'TOOMANYREQUESTS'), retryable('RATE_LIMITED')],
  [
    '400 ThrottlingException (ECR)',
    registryError(400, 'ThrottlingException', 'Rate exceeded'),
    retryable('RATE_LIMITED'),
  ],
  [
    '400 ThrottlingException in its own form (AWS)',
    { status: 400, ...json('{"__type":"ThrottlingException"}') },
    retryable('RATE_LIMITED'),
  ],
  [
    '403 for a rate limit (GitHub)',
    registryError(403, 'DENIED', 'You have exceeded a secondary rate limit.'),
    retryable('RATE_LIMITED'),
  ],
  ['500', registryError(500, 'UNKNOWN', '/var/lib/registry/secret'), retryable()],
  ['502 with HTML', { status: 502, ...html }, retryable()],
  ['503 UNAVAILABLE', registryError(503, 'UNAVAILABLE'), retryable()],
  ['504', { status: 504 }, retryable()],
  ['300 without a target', { status: 300 }, retryable()],
];

describe('what each answer to a DELETE means', () => {
  it.concurrent.each(table)('%s', async (label, reply, expected) => {
    const { outcome, deletes } = await purgeAnswered(reply);
    expect(outcome).toMatchObject(expected);
    if (outcome.kind !== 'failed') return expect(deletes).toBe(1);
    // Only what may pass by itself is tried again: not an index's veto, and a dangling tag in its own way.
    if (label === '400 dangling tag that stays') expect(deletes).toBe(3);
    else if (!outcome.retryable || label === '405 DENIED') expect(deletes).toBe(1);
    else expect(deletes).toBe(4);
    expect(outcome.detail).not.toMatch(/hostile-detail|secret|Sign in/);
  });

  it.each([
    [
      'read-only',
      '"detail":{"DriverName":"filesystem","Enclosed":{"Op":"mkdir","Path":"/secret","Err":30}}',
    ],
    [
      'full',
      '"detail":{"DriverName":"filesystem","Enclosed":{"Op":"write","Path":"/secret","Err":28}}',
    ],
  ])('a store that is %s is said to be', async (word, detail) => {
    const body = `{"errors":[{"code":"UNKNOWN","message":"unknown error",${detail}}]}`;
    const { outcome } = await purgeAnswered({ status: 500, ...json(body) });
    expect(outcome).toMatchObject({
      ...retryable(),
      detail: expect.stringContaining(`its store is ${word}`),
    });
    expect(JSON.stringify(outcome)).not.toContain('secret');
  });

  it('a password that has expired (ECR) is said to be', async () => {
    const message = 'Your authorization token has expired. Reauthenticate and try again.';
    const { outcome } = await purgeAnswered(registryError(403, 'DENIED', message));
    expect(outcome).toMatchObject({
      ...permanent('UNAUTHORIZED'),
      detail: expect.stringContaining('renew REGISTRY_PASSWORD'),
    });
  });

  it('a 303 is not followed: the GET behind it would fake a success', async () => {
    const paths: string[] = [];
    const { outcome } = await purgeAnswered((request, response) => {
      paths.push(`${request.method}`);
      response.writeHead(303, { location: '/v2/' }).end();
    });
    expect(outcome).toMatchObject(retryable());
    expect(new Set(paths)).toEqual(new Set(['DELETE']));
  });

  it('gone after a 500 of ours is our own purge', async () => {
    let tries = 0;
    const { outcome } = await purgeAnswered((_, response) => {
      if (++tries === 1) return response.writeHead(500).end();
      const { body } = registryError(404, 'MANIFEST_UNKNOWN');
      return response.writeHead(404, { 'content-type': 'application/json' }).end(body);
    });
    expect(outcome).toEqual({ kind: 'purged' });
  });

  it('gone after a 429 of ours is somebody else’s purge', async () => {
    let tries = 0;
    const { outcome } = await purgeAnswered((_, response) => {
      if (++tries === 1) return response.writeHead(429).end();
      return response.writeHead(404).end(registryError(404, 'MANIFEST_UNKNOWN').body);
    });
    expect(outcome).toEqual({ kind: 'already_gone' });
  });

  it('a malformed repository or digest fails for good without a request', async () => {
    const hostile = await startHostileRegistry(() => ({ status: 202 }));
    const registry = createDistributionRegistry({ url: hostile.url, deadlineMs: 1_000 });
    // The brands forbid these values; rows of a database may hold them all the same.
    const malformed = [
      [name, 'sha256:ABC'],
      [name, 'v1'],
      ['Packs/Acme', image.descriptor.digest],
      ['packs/../../x', image.descriptor.digest],
    ] as [typeof name, typeof image.descriptor.digest][];
    for (const [bad, digest] of malformed) {
      expect(await registry.purge(bad, digest)).toMatchObject(permanent());
    }
    expect(hostile.seen).toHaveLength(0);
    await registry.close();
    await hostile.stop();
  });
});
