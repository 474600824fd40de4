/** What /graphql refuses as HTTP: always with a code and the request's id, and before anything is changed. */
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

test('a file in the place of a text is refused without a word about where it lies', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  for (const type of ['ID', 'String', 'PackVisibility']) {
    const form = new FormData();
    const query = `query ($it: ${type}!) { node(id: $it) { id } }`;
    form.set('operations', JSON.stringify({ query, variables: { it: null } }));
    form.set('map', JSON.stringify({ file: ['variables.it'] }));
    form.set('file', new File(['x'], 'pack.tar.gz'));
    const headers = { authorization: `Bearer ${OWNER_KEY}` };
    const request = new Request('http://gateway/graphql', { method: 'POST', headers, body: form });
    const answer = await (await gateway.app.fetch(request)).text();
    expect(answer).toContain('errors');
    expect(answer).not.toMatch(new RegExp(`${tmpdir()}|pack-multipart`));
  }
});
