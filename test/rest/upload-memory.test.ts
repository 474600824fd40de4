import { request } from 'node:http';
import { expect, test } from 'vitest';
import { bytesAlive, MIB } from '../support/bytes-alive.ts';
import { startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

/** Sends a multipart body whose file is `megabytes` of noise, piece by piece. */
function upload(origin: string, megabytes: number, onPiece: () => void): Promise<number> {
  const boundary = 'pieces';
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${origin}/v1/packs/upload`,
      {
        method: 'POST',
        headers: {
          authorization: `Bearer ${OWNER_KEY}`,
          'content-type': `multipart/form-data; boundary=${boundary}`,
        },
      },
      (response) => {
        response.resume();
        response.once('end', () => resolve(response.statusCode ?? 0));
      },
    );
    outgoing.once('error', reject);
    const send = async () => {
      outgoing.write(
        `--${boundary}\r\ncontent-disposition: form-data; name="archive"; filename="a"\r\n\r\n`,
      );
      const piece = Buffer.alloc(MIB, 'noise');
      for (let sent = 0; sent < megabytes; sent++) {
        if (!outgoing.write(piece)) await new Promise((drained) => outgoing.once('drain', drained));
        onPiece();
      }
      outgoing.end(`\r\n--${boundary}--\r\n`);
    };
    send().catch(reject);
  });
}

test('an upload of 64 MiB is not held in memory', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const origin = await listening(gateway);
  // What the first request loads is none of the body.
  expect(await upload(origin, 4, () => {})).toBe(400);
  const before = bytesAlive();
  const alive: number[] = [];
  let pieces = 0;
  const status = await upload(origin, 64, () => {
    pieces += 1;
    if (pieces % 20 === 0) alive.push(bytesAlive());
  });
  // Noise is no .tar.gz, which only its reader could find out: all of it arrived.
  expect(status).toBe(400);
  expect(alive).toHaveLength(3);
  expect((Math.max(...alive) - before) / MIB).toBeLessThan(12);
});
