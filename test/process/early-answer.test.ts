/** An answer that comes before the end of its request reaches a client that sends all of it first. */
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const MIB = 1024 ** 2;

/** What comes back once the whole body is sent; rejects where the connection is reset before. */
function sentFirst(port: number, key: string, bytes: number, connection: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `POST /v1/packs/upload HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${key}\r\n` +
          `content-type: multipart/form-data; boundary=x\r\nconnection: ${connection}\r\n` +
          `content-length: ${bytes}\r\n\r\n`,
      );
      socket.write(Buffer.alloc(bytes, 'x'), () => socket.resume());
    });
    socket.pause();
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      answer += text;
      if (answer.includes('\r\n\r\n')) socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(answer));
  });
}

test.each(['close', 'keep-alive'])('with "Connection: %s"', async (connection) => {
  const environment = { MAX_ARCHIVE_BYTES: `${MIB}` };
  const port = Number(new URL(await listening(await startGateway({ environment }))).port);
  for (const [status, key, bytes] of [
    [401, 'sk_nobody', 16 * MIB],
    [400, OWNER_KEY, 2 * MIB],
    [413, OWNER_KEY, 16 * MIB],
  ] as const) {
    for (let time = 0; time < 4; time++) {
      const answer = await sentFirst(port, key, bytes, connection);
      expect(answer, `${status} after ${bytes}`).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    }
  }
});
