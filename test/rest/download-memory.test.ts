import { createHash, randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { samplePackEntries, tarOf } from '../support/archives.ts';
import { bytesAlive, MIB } from '../support/bytes-alive.ts';
import { isSweep } from '../support/extent.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { registryEnvironment, registryKinds } from '../support/registries.ts';

/** The one that gateways have of themselves is tried, every kind is swept. */
const registries = isSweep ? registryKinds : registryKinds.slice(0, 1);

const LARGE = (isSweep ? 62 : 18) * MIB;

/** Uploads a pack that is large and cannot be compressed; answers its id and the digest of its large file. */
async function uploadLarge(gateway: Gateway): Promise<{ id: string; sha256: string }> {
  const content = randomBytes(LARGE);
  const entries = [...samplePackEntries(), { name: 'data/large', content }];
  const { pack } = await gateway.upload(gzipSync(tarOf(entries), { level: 0 }));
  return { id: pack.id, sha256: createHash('sha256').update(content).digest('hex') };
}

/** Reads an answer, and looks now and then at what is held for it: most of all while nobody reads on. */
async function readSlowly({ app }: Gateway, path: string) {
  const alive: number[] = [];
  const request = new Request(`http://gateway${path}`, {
    headers: { authorization: `Bearer ${OWNER_KEY}` },
  });
  const response = await app.fetch(request);
  const hash = createHash('sha256');
  let bytes = 0;
  let pieces = 0;
  for await (const piece of response.body ?? []) {
    hash.update(piece);
    bytes += piece.length;
    pieces += 1;
    if (pieces !== 1 && pieces !== 200) continue;
    // Whoever does not mind that it is not taken away would read it all meanwhile.
    for (let turns = 0; turns < 2_000; turns++) await turn();
    alive.push(bytesAlive());
  }
  return { status: response.status, bytes, sha256: hash.digest('hex'), alive };
}

test.each(registries)(
  `a file and an archive of ${LARGE / MIB} MiB are not held in memory for whoever reads them slowly: %s`,
  async (registry) => {
    const environment = await registryEnvironment(registry);
    const gateway = await startGateway({ database: 'postgres', environment });
    const { id, sha256 } = await uploadLarge(gateway);
    const before = bytesAlive();
    const file = await readSlowly(gateway, `/v1/packs/${id}/files/data/large`);
    expect(file).toMatchObject({ status: 200, bytes: LARGE, sha256 });
    const archive = await readSlowly(gateway, `/v1/packs/${id}/archive`);
    expect(archive.status).toBe(200);
    expect(archive.bytes).toBeGreaterThan(LARGE);
    const most = Math.max(...file.alive, ...archive.alive);
    expect(file.alive.length + archive.alive.length).toBe(4);
    expect((most - before) / MIB).toBeLessThan(9);
  },
  180_000,
);
