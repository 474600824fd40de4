/** The disk of DATA_DIR is full: what the service answers, and that it goes on by itself once there is room. */
import { randomBytes } from 'node:crypto';
import { cpSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { samplePack } from '../support/archives.ts';
import { putBystander, stateOfBystander } from '../support/bystander.ts';
import { DELETE } from '../support/deletion.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { MOUNTING, tinyDisk } from '../support/tiny-disk.ts';

const archive = samplePack({ name: 'triage', files: { 'data/noise': randomBytes(400_000) } });

test('an upload to a full embedded registry says so, leaves nothing, and succeeds once there is room', async (context) => {
  const disk = await tinyDisk();
  if (disk === undefined) return context.skip(MOUNTING);
  const gateway = await startGateway({ database: 'postgres', environment: { DATA_DIR: disk } });
  await gateway.pack('small');
  const filler = join(disk, 'filler');
  writeFileSync(filler, Buffer.alloc(freeBytes(disk) - 200_000));
  const before = filesIn(disk);
  for (const _attempt of [1, 2]) {
    expect(await gateway.upload(archive)).toMatchObject({
      __typename: 'RegistryUnavailable',
      code: 'REGISTRY_UNAVAILABLE',
      message: expect.stringContaining('disk is full'),
    });
    expect(filesIn(disk)).toEqual(before);
  }
  expect(await gateway.graphql('{ packs { nodes { name } } }')).toEqual({
    data: { packs: { nodes: [{ name: 'small' }] } },
  });
  rmSync(filler);
  expect(await gateway.upload(archive)).toMatchObject({ __typename: 'UploadedPack' });
});

test('a pack can be deleted from an embedded registry without one free byte, which makes room', async (context) => {
  const disk = await tinyDisk();
  if (disk === undefined) return context.skip(MOUNTING);
  const gateway = await startGateway({ database: 'postgres', environment: { DATA_DIR: disk } });
  const { pack } = await gateway.upload(archive);
  await putBystander(gateway, 'triage');
  writeFileSync(join(disk, 'filler'), Buffer.alloc(freeBytes(disk)));
  const answer = await gateway.graphql(DELETE, { id: pack.id });
  expect(answer.data.deletePack).toMatchObject({ __typename: 'DeletedPack', image: 'PURGED' });
  expect(await stateOfBystander(gateway, 'triage')).toBe('whole');
  expect(await gateway.pack('smaller')).toMatchObject({ name: 'smaller' });
});

test('an upload that the disk for temporary files has no room for can be tried again', async (context) => {
  const disk = await tinyDisk();
  if (disk === undefined) return context.skip(MOUNTING);
  const gateway = await startGateway({ database: 'postgres' });
  vi.stubEnv('TMPDIR', disk);
  onTestFinished(() => void vi.unstubAllEnvs());
  const body = new FormData();
  body.set('archive', new File([randomBytes(2_000_000)], 'pack.tar.gz'));
  const answer = await gateway.rest('POST', '/v1/packs/upload', { body });
  expect(answer).toMatchObject({ status: 503, body: { error: { code: 'service_unavailable' } } });
  expect(filesIn(disk)).toEqual([]);
});

test('a full embedded database says so, and has lost nothing when there is room', {
  timeout: 180_000,
}, async (context) => {
  const disk = await tinyDisk(200);
  if (disk === undefined) return context.skip(MOUNTING);
  cpSync(join(inject('embedded'), 'db'), join(disk, 'db'), { recursive: true });
  const gateway = await startGateway({ environment: { DATA_DIR: disk } });
  await gateway.graphql(CREATE, { name: 'before' });
  const filler = join(disk, 'filler');
  writeFileSync(filler, Buffer.alloc(freeBytes(disk)));
  const acknowledged = ['before'];
  let refused: unknown;
  for (let number = 1; number <= 400 && refused === undefined; number++) {
    const name = `role-${number}`;
    const answer = await gateway.graphql(CREATE, { name });
    if (answer.data?.createAgentRole.__typename === 'CreatedAgentRole') acknowledged.push(name);
    else refused = answer.errors[0].extensions.code;
  }
  expect(refused).toBe('SERVICE_UNAVAILABLE');
  expect((await namesIn(gateway)).toSorted()).toEqual(acknowledged.toSorted());

  rmSync(filler);
  await gateway.graphql(CREATE, { name: 'after' });
  await gateway.close();
  const next = await startGateway({ environment: { DATA_DIR: disk } });
  expect((await namesIn(next)).toSorted()).toEqual([...acknowledged, 'after'].toSorted());
});

const CREATE = `mutation ($name: String!) {
  createAgentRole(input: { name: $name, displayName: $name, description: "${'x'.repeat(1_000)}", environment: STAGING }) { __typename } }`;

async function namesIn(gateway: Gateway): Promise<string[]> {
  const answer = await gateway.graphql('{ agentRoles(first: 200) { nodes { name } } }');
  return answer.data.agentRoles.nodes.map(({ name }: { name: string }) => name);
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted();
