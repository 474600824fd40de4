import { spawn } from 'node:child_process';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { jsonOn, type Report, tableOn, type Write } from '../../src/consistency/report.ts';
import { type RunOptions, runCheck } from '../../src/consistency/run-check.ts';
import { newUuid } from '../../src/model/ids.ts';
import { placeOfMark } from '../../src/registry/mark-place.ts';
import type { Digest, Image } from '../../src/registry/registry.ts';
import { imageOf, repository, tag } from '../registry/distribution/images.ts';
import { samplePack } from '../support/archives.ts';
import { createDatabase } from '../support/databases.ts';
import { deletePackDocument } from '../support/deletion.ts';
import { emptyDockerRegistry } from '../support/empty-docker-registry.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { joined } from '../support/joined.ts';
import { listImages } from '../support/list-images.ts';
import { nodeEnvironment } from '../support/node-environment.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { registryEnvironment, registryKinds } from '../support/registries.ts';

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
  const env = { ...nodeEnvironment(), ...environment };
  const program = await joined('src/commands/check-consistency.ts');
  const child = spawn(process.execPath, [program, ...args], { env });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

/** The command's own work, without a process for each. */
async function runIn(
  { app }: Gateway,
  options: Partial<RunOptions> = {},
  reportOn: (write: Write) => Report = jsonOn,
) {
  let stdout = '';
  const report = reportOn(async (text) => {
    stdout += text;
  });
  const wanted = { repair: false, force: false, discardPacks: false, takeOver: false, ...options };
  const { kind } = await runCheck(app.world, {}, report, wanted);
  return { kind, stdout, isClean: report.isClean() };
}

async function findings(gateway: Gateway, options: Partial<RunOptions> = {}) {
  const { kind, stdout, isClean } = await runIn(gateway, options);
  expect(kind).toBe('checked');
  const report = JSON.parse(stdout);
  expect(report.clean).toBe(isClean);
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

/** As if the row had never been: what a failover loses that came before it was copied. */
async function forget(gateway: Gateway, id: string): Promise<void> {
  await tamper(gateway, 'delete from packs where id = $1', [uuid(id)]);
  await tamper(gateway, 'delete from audit_events where subject_id = $1', [id]);
}

const isPullable = async ({ app }: Gateway, { name, imageDigest }: Json): Promise<boolean> =>
  (await app.world.registry.readManifest(repository(`packs/default/${name}`), imageDigest)).kind ===
  'found';

async function replaceArchive(gateway: Gateway, id: string, archive: Buffer): Promise<Json> {
  const query =
    'mutation ($id: ID!, $file: File!) { replacePackArchive(id: $id, archive: $file) { __typename } }';
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables: { id, file: null } }));
  form.set('map', JSON.stringify({ file: ['variables.file'] }));
  form.set('file', new File([new Uint8Array(archive)], 'pack.tar.gz'));
  const headers = { authorization: `Bearer ${OWNER_KEY}` };
  const request = new Request('http://gateway/graphql', { method: 'POST', headers, body: form });
  const { data } = await (await gateway.app.fetch(request)).json();
  return data.replacePackArchive;
}

const uuid = (id: string) => id.slice(id.indexOf('_') + 1);

async function start(): Promise<Gateway> {
  const docker = await emptyDockerRegistry();
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
    await gateway.graphql(deletePackDocument(), {
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

    const repaired = await findings(gateway, { repair: true });
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
    expect(await findings(gateway, { repair: true })).toEqual([]);
  });

  test('says when it could not look', async () => {
    const gateway = await start();
    const dead = { ...gateway.environment, REGISTRY_URL: 'http://127.0.0.1:9' };
    const run = await check(dead);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toMatch(/^REGISTRY_URL: /);
  });
});

describe.each(registryKinds)('what --repair must not destroy, on %s', (kind) => {
  const environment = () => registryEnvironment(kind);
  /** The command needs the embedded database for itself; PostgreSQL is shared. */
  const on = (shared: Record<string, string>) =>
    startGateway({ database: 'postgres', environment: shared });

  test('the images of another database: it is noticed, and refused until it takes over', async () => {
    const shared = await environment();
    const first = await on(shared);
    const pack = await first.pack('theirs');
    expect(await runIn(first, { repair: true })).toMatchObject({ isClean: true });
    // A copy of a database has its identity, so this one is made anew.
    const DATABASE_URL = await createDatabase('template0');
    const DATA_DIR = first.dataDirectory;
    const second = await startGateway({ environment: { ...shared, DATABASE_URL, DATA_DIR } });
    for (const repair of [false, true]) {
      const options = { repair, force: repair, discardPacks: repair };
      expect(await runIn(second, options)).toMatchObject({ kind: 'foreign', stdout: '' });
    }
    expect(await isPullable(first, pack)).toBe(true);
    expect(await findings(first)).toEqual([]);

    // The image is a whole pack, so that it stays.
    const taken = await findings(second, { repair: true, takeOver: true });
    expect(taken).toMatchObject([{ repair: { kind: 'left' } }]);
    expect(await isPullable(first, pack)).toBe(true);
    expect(await runIn(first)).toMatchObject({ kind: 'foreign' });
  });

  test('an upload whose row was lost, until it is told to', async () => {
    const gateway = await on(await environment());
    const pack = await gateway.pack('lost-row');
    await forget(gateway, pack.id);
    const [kept] = await findings(gateway, { repair: true });
    expect(kept).toMatchObject({
      invariant: 'orphaned_image',
      detail: expect.stringContaining('it holds lost-row 1.0.0'),
      advice: expect.stringMatching(/upload the archive again, or createPackFromImage/),
      repair: { kind: 'left', why: expect.stringMatching(/last copy/) },
    });
    expect(await isPullable(gateway, pack)).toBe(true);
    // One of the ways that it names.
    const again = await gateway.pack('lost-row');
    expect(again.imageDigest).toBe(pack.imageDigest);
    expect(await findings(gateway)).toEqual([]);
    await forget(gateway, again.id);
    const [removed] = await findings(gateway, { repair: true, discardPacks: true });
    expect(removed.repair).toEqual({ kind: 'repaired' });
    expect(await isPullable(gateway, pack)).toBe(false);
  });

  test('more than three images and one in ten, unless forced; and it says so before it begins', async () => {
    const gateway = await on(await environment());
    const { registry } = gateway.app.world;
    const place = (n: number) => repository(`packs/default/nobody-${n}`);
    const orphans = [0, 1, 2, 3].map((n) => imageOf(`orphan ${n}`));
    for (const [n, image] of orphans.entries()) {
      await registry.push(place(n), tag('1.0.0'), image);
    }
    const [refused] = await findings(gateway, { repair: true });
    expect(refused.repair).toEqual({
      kind: 'left',
      why: expect.stringMatching(/^4 of 4 images would go.*repeat with --force$/),
    });
    for (const [n, { descriptor }] of orphans.entries()) {
      expect((await registry.readManifest(place(n), descriptor.digest)).kind).toBe('found');
    }
    const { stdout } = await runIn(gateway, { repair: true, force: true }, tableOn);
    const plan = stdout.indexOf('--repair removes 4 of 4 images and finishes 0 deletions');
    expect(plan).toBeGreaterThan(stdout.lastIndexOf('orphaned_image  -'));
    expect(plan).toBeLessThan(stdout.indexOf('REPAIRED'));
    expect(await findings(gateway)).toEqual([]);
  });

  test('a check without --repair leaves no mark', async () => {
    const gateway = await on(await environment());
    await gateway.pack('kept');
    expect(await findings(gateway)).toEqual([]);
    const { registry } = gateway.app.world;
    const { repository: place, tag: name } = placeOfMark('packs');
    expect((await registry.readManifest(place, name)).kind).toBe('missing');
    expect(await findings(gateway, { repair: true })).toEqual([]);
    expect((await registry.readManifest(place, name)).kind).toBe('found');
    expect(await listImages(registry, 'packs')).toMatchObject({ images: [{ tags: ['1.0.0'] }] });
  });
});

test('the first --repair marks the namespace, and a check with another database says so', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  await gateway.close();
  expect((await check(gateway.environment, '--repair')).code).toBe(0);
  const DATABASE_URL = await createDatabase('template0');
  const second = await startGateway({
    environment: { DATABASE_URL, DATA_DIR: gateway.dataDirectory },
  });
  const refused = await check(second.environment, '--repair');
  expect(refused).toMatchObject({ code: 2, stdout: '' });
  expect(refused.stderr).toMatch(/^REGISTRY_NAMESPACE: another database .*--take-over/);
});

describe.each(registryKinds)('a pack that came back without its image, on %s', (kind) => {
  const start = async () => {
    const environment = await registryEnvironment(kind);
    const gateway = await startGateway({ database: 'postgres', environment });
    const pack = await gateway.pack('lost');
    const role = await roleWith(gateway, pack.id);
    await gateway.app.world.registry.purge(repository('packs/default/lost'), pack.imageDigest);
    return { gateway, pack, role };
  };

  test('comes back with its archive, roles and all, as the check says', async () => {
    const { gateway, pack } = await start();
    const [finding] = await findings(gateway);
    expect(finding).toMatchObject({
      subject: pack.id,
      advice: expect.stringMatching(
        /^replacePackArchive with the archive of lost 1.0.0 .*1 role has it: detachPackFromRoles, then deletePack/,
      ),
    });
    const archive = samplePack({ name: 'lost' });
    const answer = await replaceArchive(gateway, pack.id, archive);
    expect(answer).toMatchObject({ __typename: 'ReplacedPackArchive' });
    expect(await isPullable(gateway, pack)).toBe(true);
    expect(await findings(gateway)).toEqual([]);
  });

  test('goes by the two calls that the check names', async () => {
    const { gateway, pack } = await start();
    const { data } = await gateway.graphql(
      `mutation ($id: ID!) {
        detachPackFromRoles(packId: $id) { ... on DetachedPackFromRoles { roleCount } }
        deletePack(id: $id) { __typename }
      }`,
      { id: pack.id },
    );
    expect(data).toEqual({
      detachPackFromRoles: { roleCount: 1 },
      deletePack: { __typename: 'DeletedPack' },
    });
    expect(await findings(gateway)).toEqual([]);
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
