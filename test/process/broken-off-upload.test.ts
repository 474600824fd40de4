/** What is left of an upload whose sender hung up half-way. */
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { createDatabase } from '../support/databases.ts';
import { OWNER_KEY } from '../support/owner-key.ts';
import { startServer } from '../support/server-process.ts';
import { temporaryDirectory } from './run.ts';

const part = (disposition: string, content: string) =>
  `--x\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n${content}`;
const file = (name: string) => part(`name="${name}"; filename="a.tar.gz"`, 'the first bytes of');
const query = 'mutation ($file: File!) { uploadPack(archive: $file) { __typename } }';
const operations = JSON.stringify({ query, variables: { file: null } });
const map = JSON.stringify({ file: ['variables.file'] });

const uploads: Record<string, string> = {
  '/v1/packs/upload': file('archive'),
  '/graphql': [
    part('name="operations"', `${operations}\r\n`),
    part('name="map"', `${map}\r\n`),
    file('file'),
  ].join(''),
};

test.for(Object.keys(uploads))(
  'nothing, by %s: no file, no request in flight, but a line in the log',
  {
    timeout: 180_000,
  },
  async (path) => {
    const temporary = temporaryDirectory();
    const server = await startServer({
      DATABASE_URL: await createDatabase(),
      DATA_DIR: temporaryDirectory(),
      TMPDIR: temporary,
    });
    const spooled = () =>
      readdirSync(temporary).filter((name) => name.startsWith('pack-gateway-work-'));
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    socket.write(
      [
        `POST ${path} HTTP/1.1`,
        'host: gateway',
        `authorization: Bearer ${OWNER_KEY}`,
        'content-type: Multipart/Form-Data; boundary=x',
        'content-length: 100000',
        '',
        uploads[path],
      ].join('\r\n'),
    );
    await expect.poll(spooled).toHaveLength(1);
    socket.destroy();
    await expect.poll(spooled).toEqual([]);
    await expect
      .poll(() => server.logs)
      .toContainEqual(
        expect.objectContaining({
          msg: 'request',
          method: 'POST',
          outcome: 'bad_request',
          status: 400,
        }),
      );

    const stoppedAt = performance.now();
    server.interrupt();
    expect(await server.exited).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(5_000);
    expect(server.logs.filter(({ level }) => level === 'error')).toEqual([]);
  },
);
