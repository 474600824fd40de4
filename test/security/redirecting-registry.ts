/** A registry that works, wants a password, and answers what a test puts in its way instead. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { packImage } from '../packs/changes.ts';
import { selfSigned } from '../support/docker-registry.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import {
  registryError,
  type ScriptedAnswer,
  type SeenRequest,
  startHostileRegistry,
} from '../support/hostile-registry.ts';

/** What every repository of it holds, under every tag. */
export const image = packImage({ name: 'triage' });

export type Override = (request: SeenRequest) => ScriptedAnswer | undefined;

export const redirect = (to: string, status = 307): ScriptedAnswer => ({
  status,
  headers: { location: to },
});

/** A gateway before such a registry. `override` decides by the repository, so that cases can run side by side. */
export async function startRedirecting({ tls = false, auth = true } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'redirecting-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const pair = tls ? selfSigned(directory) : undefined;
  const state: { override: Override } = { override: () => undefined };
  const registry = await startHostileRegistry((request) => {
    const stranger = auth && request.headers.authorization === undefined;
    const challenge = { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } };
    return stranger ? challenge : (state.override(request) ?? work(request));
  }, pair);
  onTestFinished(() => registry.stop());
  const gateway = await startGateway({
    database: 'postgres',
    environment: {
      REGISTRY_URL: registry.url.origin,
      REGISTRY_USERNAME: 'user',
      REGISTRY_PASSWORD: 'canary-password',
      REGISTRY_DEADLINE_MS: '3000',
      ...(pair && { REGISTRY_CA_FILE: pair.certificateFile }),
    },
  });
  return Object.assign(state, { registry, gateway });
}

const ociIndex = { 'content-type': 'application/vnd.oci.image.index.v1+json' };
const noReferrers = JSON.stringify({
  schemaVersion: 2,
  mediaType: ociIndex['content-type'],
  manifests: [],
});

function work({ method, path }: SeenRequest): ScriptedAnswer {
  if (path.includes('/uploads/')) {
    const location = '/v2/packs/default/x/blobs/uploads/1';
    return method === 'POST' ? { status: 202, headers: { location } } : { status: 201 };
  }
  if (method === 'HEAD') return { status: 404 };
  if (method === 'PUT') return { status: 201 };
  if (method === 'DELETE') return { status: 202 };
  if (path.includes('/tags/list')) return { status: 200, body: '{"tags":["v1"]}' };
  // A registry without this API would be remembered as such, and not be asked again.
  if (path.includes('/referrers/')) return { status: 200, headers: ociIndex, body: noReferrers };
  if (path.includes('/manifests/')) return { status: 200, body: image.manifest };
  return registryError(404, 'BLOB_UNKNOWN');
}

/** Fewer failures at a time than would open the circuit, and a success after them that closes it again. */
export async function inBatches<T>(
  { app }: Gateway,
  cases: readonly T[],
  run: (one: T, at: number) => Promise<void>,
): Promise<void> {
  const { registry } = app.world;
  for (let start = 0; start < cases.length; start += 4) {
    await Promise.all(cases.slice(start, start + 4).map((one, at) => run(one, start + at)));
    await registry.readManifest('fine' as never, 'v1' as never);
  }
}
