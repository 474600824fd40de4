/** An empty directory in the place of the embedded registry is not taken for a new one. */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DELETE } from '../../support/deletion.ts';
import { startGateway } from '../../support/gateway.ts';

test('a registry directory that is gone or empty is refused while packs have images in it', async () => {
  const first = await startGateway();
  const pack = await first.pack('triage');
  const { dataDirectory, environment } = first;
  await first.close();
  const [registry, volume] = ['registry', 'volume'].map((name) => join(dataDirectory, name));
  if (registry === undefined || volume === undefined) throw new Error('unreachable');
  renameSync(registry, volume);

  const refusal = new RegExp(
    `^DATA_DIR: ${registry} is empty, but the database knows packs .+ mount its volume .+$`,
  );
  await expect(startGateway({ environment })).rejects.toThrow(refusal);
  // Nor what that start left, nor a directory that is really empty.
  await expect(startGateway({ environment })).rejects.toThrow(refusal);
  rmSync(registry, { recursive: true });
  mkdirSync(registry);
  await expect(startGateway({ environment })).rejects.toThrow(refusal);

  rmSync(registry, { recursive: true });
  renameSync(volume, registry);
  // As an earlier version left it.
  rmSync(join(registry, '.pack-gateway', 'layout'));
  const next = await startGateway({ environment });
  const answer = await next.graphql(DELETE, { id: pack.id });
  expect(answer.data.deletePack).toMatchObject({ __typename: 'DeletedPack', image: 'PURGED' });
  expect(readdirSync(join(registry, '.pack-gateway'))).toContain('layout');
});

test('an operator whose images are permanently lost makes the mark that the refusal names, and goes on', async () => {
  const first = await startGateway();
  const pack = await first.pack('triage');
  const { dataDirectory, environment } = first;
  await first.close();
  rmSync(join(dataDirectory, 'registry'), { recursive: true });
  const refusal: unknown = await startGateway({ environment }).catch((error: unknown) => error);
  const [, mark = ''] = /create the file (\S+) to continue/.exec(String(refusal)) ?? [];
  writeFileSync(mark, '');
  const next = await startGateway({ environment });
  const answer = await next.graphql(DELETE, { id: pack.id });
  expect(answer.data.deletePack).toMatchObject({ image: 'ALREADY_GONE' });
});

test('a registry that was emptied by deletions starts again', async () => {
  const first = await startGateway();
  const pack = await first.pack('triage');
  await first.graphql(DELETE, { id: pack.id });
  await first.close();
  const next = await startGateway({ environment: first.environment });
  expect(await next.pack('another')).toMatchObject({ name: 'another' });
});
