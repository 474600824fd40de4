import { randomBytes } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { gzipped, samplePackEntries, tarOf } from '../support/archives.ts';
import { MIB } from '../support/bytes-alive.ts';
import { startGateway } from '../support/gateway.ts';
import { installed } from '../support/installed.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { registryEnvironment } from '../support/registries.ts';

test.skipIf(!installed('docker-registry'))(
  'archives that nobody reads take an org its own downloads, and others nothing',
  async () => {
    const environment = await registryEnvironment('docker-registry');
    const gateway = await startGateway({ database: 'postgres', environment });
    const other = await gateway.org('globex');
    const theirs = await gateway.pack('theirs', { key: other });
    // More than buffers on the way take.
    const large = { name: 'data/large', content: randomBytes(16 * MIB) };
    const { pack } = await gateway.upload(gzipped(tarOf([...samplePackEntries(), large]), 0));
    const open: Response[] = [];
    const leave = () => Promise.all(open.splice(0).map(({ body }) => body?.cancel()));
    onTestFinished(async () => void (await leave()));
    const download = async () => {
      const headers = { authorization: `Bearer ${OWNER_KEY}` };
      const request = new Request(`http://gateway/v1/packs/${pack.id}/archive`, { headers });
      const response = await gateway.app.fetch(request);
      open.push(response);
      return response;
    };
    const downloads = await Promise.all(Array.from({ length: 40 }, download));
    const begun = downloads.filter(({ status }) => status === 200);
    const refused = downloads.filter(({ status }) => status === 429);
    expect([begun.length, refused.length]).toEqual([16, 24]);
    expect(refused[0]?.headers.get('retry-after')).toMatch(/^\d+$/);

    const deleted = await gateway.rest('DELETE', `/v1/packs/${theirs.id}`, { key: other });
    expect(deleted.body).toEqual({ status: 'deleted' });
    await gateway.pack('another', { key: other });

    await leave();
    expect((await download()).status).toBe(200);
  },
);
