/** The registry fails: the pack stays, says why, cannot be used, and goes once the registry is repaired. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { attachPack, createRole, deletePack, eventsOf, role, rowOf } from '../support/deletion.ts';
import {
  credentials,
  type DockerRegistry,
  startDockerRegistry,
} from '../support/docker-registry.ts';
import { longDatabaseKinds } from '../support/extent.ts';
import { startGate } from '../support/gate.ts';
import { startGateway } from '../support/gateway.ts';
import { registryError } from '../support/hostile-registry.ts';
import { installed } from '../support/installed.ts';

interface Breakable {
  readonly environment: Record<string, string>;
  readonly break: () => void | Promise<void>;
  readonly repair: () => void | Promise<void>;
}

async function started(options: Parameters<typeof startDockerRegistry>[0]) {
  const docker = await startDockerRegistry(options);
  onTestFinished(() => docker.stop());
  return docker;
}

const restarted = ({ url, directory }: DockerRegistry) =>
  started({ directory, port: Number(url.port) });

async function gated(refusal: {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}): Promise<Breakable> {
  const gate = await startGate((await started({})).url);
  return {
    environment: { REGISTRY_URL: gate.url },
    break: () => gate.refuse({ request: /^DELETE /, ...refusal }),
    repair: () => gate.refuse(undefined),
  };
}

const json = { 'content-type': 'application/json' };
const html = { 'content-type': 'text/html' };

const failures: readonly {
  readonly what: string;
  readonly reason: string;
  readonly retryable: boolean;
  readonly retryAfterSeconds?: number;
  readonly start: () => Promise<Breakable>;
}[] = [
  {
    what: 'a registry that is down',
    reason: 'UNREACHABLE',
    retryable: true,
    async start() {
      const docker = await started({});
      return {
        environment: { REGISTRY_URL: docker.url.href },
        break: () => docker.kill(),
        repair: async () => void (await restarted(docker)),
      };
    },
  },
  {
    what: 'a registry that hangs',
    reason: 'TIMEOUT',
    retryable: true,
    async start() {
      const docker = await started({});
      return {
        environment: { REGISTRY_URL: docker.url.href },
        break: () => docker.freeze(),
        repair: () => docker.resume(),
      };
    },
  },
  {
    what: 'an account that may not delete',
    reason: 'UNAUTHORIZED',
    retryable: false,
    async start() {
      const docker = await started({ auth: 'token' });
      const allow = (...actions: string[]) => {
        if (docker.tokens) docker.tokens.allowed = actions;
      };
      return {
        environment: {
          REGISTRY_URL: docker.url.href,
          REGISTRY_USERNAME: credentials.username,
          REGISTRY_PASSWORD: credentials.password,
        },
        break: () => allow('pull', 'push'),
        repair: () => allow('pull', 'push', 'delete'),
      };
    },
  },
  {
    what: 'a registry with deletes switched off',
    reason: 'DELETE_UNSUPPORTED',
    retryable: false,
    async start() {
      const docker = await started({ deletes: false });
      return {
        environment: { REGISTRY_URL: docker.url.href },
        break: () => undefined,
        async repair() {
          await docker.kill();
          await restarted(docker);
        },
      };
    },
  },
  {
    what: 'a registry that asks for a pause',
    reason: 'RATE_LIMITED',
    retryable: true,
    retryAfterSeconds: 7,
    start: () => gated({ status: 429, headers: { 'retry-after': '7' } }),
  },
  {
    what: 'a registry with a defect',
    reason: 'REGISTRY_ERROR',
    retryable: true,
    start: () => gated({ status: 500, headers: html, body: 'secret-of-the-registry' }),
  },
  {
    what: 'a 404 that is not the registry’s own',
    reason: 'REGISTRY_ERROR',
    retryable: true,
    start: () => gated({ status: 404, headers: html, body: '<h1>secret-of-the-registry</h1>' }),
  },
];

describe.skipIf(!installed('docker-registry')).each(failures)(
  '$what is $reason',
  ({ reason, retryable, retryAfterSeconds = null, start }) => {
    test.each(longDatabaseKinds)(
      'and deletion resumes after the repair, on %s',
      async (database) => {
        const registry = await start();
        // Short, as some wait for it; but what does not fail has to be done by then on a busy machine as well.
        const environment = { ...registry.environment, REGISTRY_DEADLINE_MS: '2000' };
        const gateway = await startGateway({ database, environment });
        const { id } = await gateway.pack('triage');
        await putBystander(gateway, 'triage');
        const roleId = await role(gateway, 'on-call');
        await registry.break();

        for (const attempts of [1, 2]) {
          const answer = await deletePack(gateway, id);
          expect(answer).toMatchObject({
            __typename: 'RegistryCleanupFailed',
            code: 'REGISTRY_CLEANUP_FAILED',
            reason,
            retryable,
            retryAfterSeconds,
            attempts,
            pack: { id, status: 'CLEANUP_FAILED', cleanupFailure: { reason, attempts } },
          });
          expect(JSON.stringify(answer)).not.toContain('secret-of-the-registry');
        }
        const failed = gateway.logs.filter((line) => line.outcome === 'registry_cleanup_failed');
        expect(failed.map(({ msg, level }) => ({ msg, level }))).toEqual(
          Array(2).fill({ msg: 'request', level: 'warn' }),
        );
        expect(await rowOf(gateway, id)).toMatchObject({ status: 'CLEANUP_FAILED' });
        const attached = await attachPack(gateway, roleId, id);
        expect(attached).toMatchObject({ __typename: 'PackBeingDeleted' });
        const made = await createRole(gateway, { name: 'with-it', packIds: [id] });
        expect(made).toMatchObject({ __typename: 'PackBeingDeleted' });

        await registry.repair();
        expect(await deletePack(gateway, id)).toMatchObject({
          __typename: 'DeletedPack',
          image: 'PURGED',
        });
        expect(await eventsOf(gateway, id)).toEqual([
          'PACK_UPLOADED',
          'PACK_DELETION_STARTED',
          'PACK_CLEANUP_FAILED',
          'PACK_CLEANUP_FAILED',
          'PACK_DELETED',
        ]);
        expect(await stateOfBystander(gateway, 'triage')).toBe('whole');
      },
    );
  },
);

describe.skipIf(!installed('docker-registry'))('the registry’s own word', () => {
  test.each(['MANIFEST_UNKNOWN', 'NAME_UNKNOWN'])('%s counts as gone', async (code) => {
    const { status, body } = registryError(404, code);
    const registry = await gated({ status, headers: json, body: String(body) });
    const gateway = await startGateway({ environment: registry.environment });
    const { id } = await gateway.pack('triage');
    await registry.break();
    expect(await deletePack(gateway, id)).toMatchObject({ image: 'ALREADY_GONE' });
  });
});
