import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { newUuid } from '../../src/model/ids.ts';
import type { Digest, Image } from '../../src/registry/registry.ts';
import { imageOf, repository, tag } from '../registry/distribution/images.ts';
import { startDockerRegistry } from '../support/docker-registry.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';

const MAIN = fileURLToPath(new URL('../../src/commands/check-consistency.ts', import.meta.url));

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command as an operator runs it. */
async function check(
  environment: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<Run> {
  const env = { PATH: process.env.PATH, ...environment };
  const child = spawn(process.execPath, [MAIN, ...args], { env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

async function findings(gateway: Gateway, ...args: string[]) {
  const { code, stdout, stderr } = await check(gateway.environment, '--json', ...args);
  expect(stderr).toBe('');
  const report = JSON.parse(stdout);
  expect(report.clean).toBe(code === 0);
  return report.findings;
}

/** Statements that the service would never send, past its constraints. */
async function tamper(gateway: Gateway, sql: string, values: unknown[]): Promise<void> {
  const client = new pg.Client(gateway.environment.DATABASE_URL);
  await client.connect();
  await client.query("set session_replication_role = 'replica'");
  await client.query(sql, values);
  await client.end();
}

const uuid = (id: string) => id.slice(id.indexOf('_') + 1);

async function start(): Promise<Gateway> {
  const docker = await startDockerRegistry();
  onTestFinished(() => docker.stop());
  return startGateway({ database: 'postgres', environment: { REGISTRY_URL: docker.url.href } });
}

async function roleWith(gateway: Gateway, packId: string): Promise<string> {
  const answer = await gateway.graphql(
    `mutation ($packIds: [ID!]) {
      createAgentRole(input: { name: "on-call", displayName: "On call", environment: PRODUCTION, packIds: $packIds }) {
        ... on CreatedAgentRole { role { id } }
        ... on Error { message }
      }
    }`,
    { packIds: [packId] },
  );
  return answer.data.createAgentRole.role.id;
}

describe.skipIf(!installed('docker-registry'))('check-consistency', () => {
  test('finds nothing where nothing is wrong, signatures of packs and of attestations included', async () => {
    const gateway = await start();
    const kept = await gateway.pack('kept');
    const deleted = await gateway.pack('deleted');
    await gateway.graphql('mutation ($id: ID!) { deletePack(id: $id) { __typename } }', {
      id: deleted.id,
    });
    const { registry } = gateway.app.world;
    const place = repository('packs/default/kept');
    const pushAbout = (digest: Digest, suffix: string, image: Image) =>
      registry.push(place, tag(digest.replace(':', '-') + suffix), image);
    await pushAbout(kept.imageDigest, '.sig', imageOf('signature'));
    const attestation = imageOf('attestation');
    await pushAbout(kept.imageDigest, '.att', attestation);
    await pushAbout(attestation.descriptor.digest, '.sig', imageOf('signature of the attestation'));
    const bySubject = imageOf('about the attestation', attestation.descriptor);
    await registry.push(place, tag('about'), bySubject);
    await pushAbout(bySubject.descriptor.digest, '.sig', imageOf('signature of that'));

    const { code, stdout } = await check(gateway.environment);
    expect(stdout).toMatch(/^orphaned_image +0 /m);
    expect(code).toBe(0);
  });

  test('reports each breach by its name, and changes nothing', async () => {
    const gateway = await start();
    const { registry } = gateway.app.world;
    const lost = await gateway.pack('lost');
    const orphan = imageOf('orphan');
    await registry.purge(repository('packs/default/lost'), lost.imageDigest);
    await registry.push(repository('packs/default/nobody'), tag('1.0.0'), orphan);
    const stuck = await gateway.pack('stuck');
    await tamper(gateway, "update packs set status = 'DELETING' where id = $1", [uuid(stuck.id)]);
    const vanished = await gateway.pack('vanished');
    const role = await roleWith(gateway, vanished.id);
    await tamper(gateway, 'delete from packs where id = $1', [uuid(vanished.id)]);
    await registry.purge(repository('packs/default/vanished'), vanished.imageDigest);
    const undead = await gateway.pack('undead');
    await tamper(
      gateway,
      `insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
       select $1, id, 'PACK_DELETED', 'test', $2, 'test', '{}', now() from orgs`,
      [newUuid(), undead.id],
    );

    const first = await findings(gateway);
    const told = first.map((finding: { invariant: string; subject: string }) => [
      finding.invariant,
      finding.subject,
    ]);
    expect(told.sort()).toEqual(
      [
        ['deletion_unfinished', stuck.id],
        ['deletion_unrecorded', vanished.id],
        ['deletion_untrue', undead.id],
        ['image_gone', lost.id],
        ['orphaned_image', `packs/default/nobody@${orphan.descriptor.digest}`],
        ['role_without_pack', role],
      ].sort(),
    );
    expect(await findings(gateway)).toEqual(first);
  });

  test('with --repair removes orphans and finishes deletions, as the audit log tells', async () => {
    const gateway = await start();
    const { registry } = gateway.app.world;
    const orphan = imageOf('orphan');
    await registry.push(repository('packs/default/nobody'), tag('1.0.0'), orphan);
    await registry.push(repository('others/default/nobody'), tag('1.0.0'), orphan);
    const stuck = await gateway.pack('stuck');
    await tamper(gateway, "update packs set status = 'DELETING' where id = $1", [uuid(stuck.id)]);

    const repaired = await findings(gateway, '--repair');
    expect(repaired).toHaveLength(2);
    expect(repaired.map(({ repair }: { repair: object }) => repair)).toEqual([
      { kind: 'repaired' },
      { kind: 'repaired' },
    ]);
    expect(await findings(gateway)).toEqual([]);
    const { digest } = orphan.descriptor;
    const read = (name: string) => registry.readManifest(repository(name), digest);
    expect((await read('packs/default/nobody')).kind).toBe('missing');
    expect((await read('others/default/nobody')).kind).toBe('found');
    const events = await gateway.graphql(
      '{ auditEvents(first: 5, filter: { type: PACK_DELETED }) { nodes { subjectId actor } } }',
    );
    expect(events.data.auditEvents.nodes).toEqual([
      { subjectId: stuck.id, actor: 'check-consistency' },
    ]);
  });

  test('leaves alone what somebody is at work on', async () => {
    const gateway = await start();
    const { registry } = gateway.app.world;
    await registry.push(repository('packs/default/busy'), tag('1.0.0'), imageOf('in flight'));
    const stuck = await gateway.pack('stuck');
    await tamper(gateway, "update packs set status = 'DELETING' where id = $1", [uuid(stuck.id)]);
    const lease = `insert into repository_leases (repository, holder, expires_at)
      values ($1, $2, now() + interval '1 minute')`;
    await tamper(gateway, lease, ['packs/default/busy', newUuid()]);
    await tamper(gateway, lease, ['packs/default/stuck', newUuid()]);
    expect(await findings(gateway, '--repair')).toEqual([]);
  });

  test('says when it could not look', async () => {
    const gateway = await start();
    const dead = { ...gateway.environment, REGISTRY_URL: 'http://127.0.0.1:9' };
    const run = await check(dead);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toMatch(/^REGISTRY_URL: /);
  });
});

test('on the embedded database and registry it waits for no server', async () => {
  const gateway = await startGateway({ database: 'embedded' });
  await gateway.pack('kept');
  const running = await check(gateway.environment);
  expect(running).toMatchObject({ code: 2, stderr: expect.stringMatching(/^DATA_DIR: .*in use/) });
  await gateway.close();
  expect(await check(gateway.environment)).toMatchObject({ code: 0, stderr: '' });
});
