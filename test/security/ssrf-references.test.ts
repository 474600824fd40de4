import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { change } from '../packs/changes.ts';
import { startGateway } from '../support/gateway.ts';
import { startTrap, watchOutgoing } from './outgoing.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const ALLOWED = 'packs.example';

const BOTH = `mutation ($id: ID!, $imageRef: String!) {
  create: createPackFromImage(imageRef: $imageRef) { ...problem }
  replace: replacePackImage(id: $id, imageRef: $imageRef) { ...problem }
}
fragment problem on ValidationFailed { __typename code fields { path } }`;

/** References that name a host which nobody allowed, in every form that some parser somewhere lets through. */
const references = (port: string): readonly string[] => [
  // The same machine.
  `127.0.0.1:${port}/team/x:v1`,
  `localhost:${port}/team/x:v1`,
  `LOCALHOST:${port}/team/x:v1`,
  `localhost/team/x:v1`,
  `localhost.:${port}/team/x:v1`,
  `127.1:${port}/team/x:v1`,
  `127.0.0.1.:${port}/team/x:v1`,
  `0.0.0.0:${port}/team/x:v1`,
  `0:${port}/team/x:v1`,
  `2130706433:${port}/team/x:v1`,
  `0x7f000001:${port}/team/x:v1`,
  `0x7f.0.0.1:${port}/team/x:v1`,
  `0177.0.0.1:${port}/team/x:v1`,
  `017700000001:${port}/team/x:v1`,
  `127.0.0.1.nip.io:${port}/team/x:v1`,
  `[::1]:${port}/team/x:v1`,
  `[::]:${port}/team/x:v1`,
  `[::ffff:127.0.0.1]:${port}/team/x:v1`,
  `[::ffff:7f00:1]:${port}/team/x:v1`,
  `[0:0:0:0:0:0:0:1]:${port}/team/x:v1`,
  `[fe80::1%25lo]:${port}/team/x:v1`,
  `::1:${port}/team/x:v1`,
  // Where clouds hand out credentials.
  '169.254.169.254/latest/meta-data:v1',
  '169.254.169.254:80/latest/meta-data:v1',
  '2852039166:80/latest/meta-data:v1',
  '0xa9fea9fe:80/latest/meta-data:v1',
  '[fd00:ec2::254]:80/latest/meta-data:v1',
  'metadata.google.internal/computeMetadata/v1:v1',
  // Almost the host that is allowed.
  `${ALLOWED}@127.0.0.1:${port}/team/x:v1`,
  `${ALLOWED}:pw@127.0.0.1:${port}/team/x:v1`,
  `user@${ALLOWED}/team/x:v1`,
  `127.0.0.1:${port}@${ALLOWED}/team/x:v1`,
  `${ALLOWED}.evil.example/team/x:v1`,
  `evil-${ALLOWED}/team/x:v1`,
  `evil.${ALLOWED}/team/x:v1`,
  `${ALLOWED}./team/x:v1`,
  `${ALLOWED}../team/x:v1`,
  `${ALLOWED}:0443/team/x:v1`,
  `${ALLOWED}:${port}/team/x:v1`,
  `${ALLOWED}:/team/x:v1`,
  `${ALLOWED}:99999/team/x:v1`,
  `${ALLOWED}#.evil.example/team/x:v1`,
  `${ALLOWED}?.evil.example/team/x:v1`,
  `${ALLOWED}\\.evil.example/team/x:v1`,
  `evil.example\\${ALLOWED}/team/x:v1`,
  `${ALLOWED}%2eevil.example/team/x:v1`,
  `${ALLOWED}%00.evil.example/team/x:v1`,
  `${ALLOWED}\0.evil.example/team/x:v1`,
  `${ALLOWED} .evil.example/team/x:v1`,
  ` ${ALLOWED}/team/x:v1`,
  `\t${ALLOWED}/team/x:v1`,
  `${ALLOWED}\r\nHost: evil.example/team/x:v1`,
  `${ALLOWED},evil.example/team/x:v1`,
  'packs。example/team/x:v1',
  'packs．example/team/x:v1',
  // The Kelvin sign, whose lower case is a k.
  'pac\u212as.example/team/x:v1',
  'packſ.example/team/x:v1',
  'pаcks.example/team/x:v1',
  'packs\u00ad.example/team/x:v1',
  'packs\u200b.example/team/x:v1',
  'xn--pcks-5cd.example/team/x:v1',
  '①②⑦.⓪.⓪.①/team/x:v1',
  // With a scheme, or none.
  `http://127.0.0.1:${port}/team/x:v1`,
  `https://${ALLOWED}/team/x:v1`,
  `docker://127.0.0.1:${port}/team/x:v1`,
  `oci:/etc:v1`,
  'file:///etc/passwd:v1',
  'file:/etc/passwd',
  `//127.0.0.1:${port}/team/x:v1`,
  `/127.0.0.1:${port}/team/x:v1`,
  `\\\\127.0.0.1:${port}\\team\\x:v1`,
  `gopher://127.0.0.1:${port}/_x:v1`,
  `data:text/plain,x/team/x:v1`,
  // In the path, the tag and the digest.
  `${ALLOWED}/../127.0.0.1:${port}/x:v1`,
  `${ALLOWED}/team/../../v2:v1`,
  `${ALLOWED}/team/%2e%2e/x:v1`,
  `${ALLOWED}//127.0.0.1:${port}/x:v1`,
  `${ALLOWED}/team/x:v1/../../..`,
  `${ALLOWED}/team/x:v1?x=1`,
  `${ALLOWED}/team/x:v1#x`,
  `${ALLOWED}/team/x?:v1`,
  `${ALLOWED}/team/x:v1\r\nX-Evil: 1`,
  `${ALLOWED}/team/x:@127.0.0.1:${port}/x`,
  `${ALLOWED}/team/x@127.0.0.1:${port}/x:v1`,
  `${ALLOWED}/team/x@${DIGEST}@127.0.0.1:${port}`,
  `${ALLOWED}/team/x@${DIGEST.toUpperCase()}`,
  `${ALLOWED}/team/x@${DIGEST}/../x`,
  `${ALLOWED}/team/x@md5:${'a'.repeat(32)}`,
  `${ALLOWED}/team/x`,
  `${ALLOWED}/`,
  `127.0.0.1:${port}/team/x@${DIGEST}`,
  `127.0.0.1:${port}/team/x:v1@${DIGEST}`,
  // What Docker would send to its hub; here a bare name is the configured registry's, and nothing is there.
  'docker.io/library/alpine:3',
  'index.docker.io/library/alpine:3',
  'registry-1.docker.io/library/alpine:3',
  'alpine:3',
  'library/alpine:3',
  '0x7f000001/x:v1',
  '2130706433/x:v1',
];

test('no reference makes a request leave for a host that is not allowed, whatever it looks like', async () => {
  const trap = await startTrap();
  const { port } = trap.url;
  const inner = createServer((socket) => void inner.emit('trapped', socket.destroy()));
  let trapped = 0;
  inner.on('trapped', () => trapped++);
  // Not every machine has IPv6; the watch on connections sees what is tried there as well.
  inner.on('error', () => undefined).listen(Number(port), '::1');
  await Promise.race([once(inner, 'listening'), once(inner, 'error')]);
  onTestFinished(() => void inner.close());
  const gateway = await startGateway({
    database: 'postgres',
    environment: { REGISTRY_ALLOWED_HOSTS: ALLOWED },
  });
  const { id } = await gateway.pack('triage');
  const outgoing = watchOutgoing();
  for (const [at, imageRef] of references(port).entries()) {
    const { data } = await gateway.graphql(BOTH, { id, imageRef });
    const refused = {
      __typename: 'ValidationFailed',
      code: 'VALIDATION_ERROR',
      fields: [{ path: 'imageRef' }],
    };
    expect(data, imageRef).toEqual({ create: refused, replace: refused });
    const json = { image_ref: imageRef };
    const answer =
      at % 2 === 0
        ? await gateway.rest('POST', '/v1/packs', { json })
        : await gateway.rest('PUT', `/v1/packs/${id}`, { json });
    expect(answer, imageRef).toMatchObject({
      status: 400,
      body: {
        error: { code: 'validation_error', details: { fields: { image_ref: expect.any(String) } } },
      },
    });
  }
  expect(outgoing).toMatchObject({ connections: [], lookups: [] });
  expect(trap.seen).toEqual([]);
  expect(trapped).toBe(0);
});

test('the watch sees a host that is allowed being looked up and asked', async () => {
  const trap = await startTrap();
  const host = `localhost:${trap.url.port}`;
  const gateway = await startGateway({
    database: 'postgres',
    environment: { REGISTRY_ALLOWED_HOSTS: host, REGISTRY_DEADLINE_MS: '500' },
  });
  const outgoing = watchOutgoing();
  for (const imageRef of [`${host}/team/x:v1`, `LocalHost:${trap.url.port}/team/x:v1`]) {
    await change(gateway, 'createPackFromImage', { imageRef });
  }
  expect(outgoing.lookups).toContain('localhost');
  expect(outgoing.connections).toContain(host);
  expect(outgoing.attempts).toContain('127.0.0.1');
});
