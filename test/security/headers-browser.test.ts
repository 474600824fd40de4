/**
 * What a hostile page can make a visitor's browser do here.
 *
 * A browser adds cookies and Basic credentials by itself, and never a Bearer header. So a request that rides on the
 * visitor can only be one without it, which is nobody's: that is the whole defence against CSRF, and why no
 * header such as `x-apollo-operation-name` has to be demanded of simple requests.
 */
import { expect, test } from 'vitest';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const MUTATION = 'mutation { createAgentRole(input: { name: "ridden" }) { __typename } }';
const COOKIE = `authorization=Bearer ${OWNER_KEY}; token=${OWNER_KEY}; access_token=${OWNER_KEY}`;
const FORM = 'application/x-www-form-urlencoded';

const roles = async (gateway: Gateway) =>
  (await gateway.rest('GET', '/v1/agent-roles')).body.agent_roles ?? [];
const send = (gateway: Gateway, path: string, init: RequestInit) =>
  gateway.app.fetch(new Request(`http://gateway${path}`, init));

/** What a page may send without asking first (Fetch standard, "CORS-safelisted request-header"). */
function simpleRequests(headers: Record<string, string>): [string, string, RequestInit][] {
  const multipart = new FormData();
  multipart.set('operations', JSON.stringify({ query: MUTATION }));
  multipart.set('map', '{}');
  const json = JSON.stringify({ query: MUTATION });
  const form = new URLSearchParams({ query: MUTATION }).toString();
  const post = (type: string, body: string): RequestInit => ({
    method: 'POST',
    headers: { ...headers, 'content-type': type },
    body,
  });
  return [
    ['a form', '/graphql', post(FORM, form)],
    ['JSON as plain text', '/graphql', post('text/plain', json)],
    ['JSON as plain text, by REST', '/v1/agent-roles', post('text/plain', '{"name":"ridden"}')],
    ['a form, by REST', '/v1/agent-roles', post(FORM, 'name=ridden')],
    ['no content type', '/graphql', { method: 'POST', headers, body: Buffer.from(json) }],
    ['multipart', '/graphql', { method: 'POST', headers, body: multipart }],
    ['GET', `/graphql?query=${encodeURIComponent(MUTATION)}`, { headers }],
    ['an image', '/graphql', { headers: { ...headers, accept: 'image/*' } }],
  ];
}

test('cookies and Basic credentials, which a browser sends by itself, make nobody a caller', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  for (const riding of [
    { cookie: COOKIE, origin: 'https://evil.example' },
    { cookie: COOKIE, origin: 'https://studio.apollographql.com' },
    { cookie: COOKIE },
    { authorization: `Basic ${btoa(`:${OWNER_KEY}`)}` },
  ]) {
    for (const [what, path, init] of simpleRequests(riding)) {
      const answer = await send(gateway, path, init);
      expect(answer.status, what).toBe(401);
      expect(answer.headers.get('set-cookie'), what).toBeNull();
      expect(answer.headers.get('access-control-allow-credentials'), what).toBeNull();
    }
  }
  expect(await roles(gateway)).toEqual([]);
});

test('with a key, what a page could send still changes nothing where it is no JSON or a GET', async () => {
  const gateway = await startGateway({ database: 'postgres' });
  const auth = { authorization: `Bearer ${OWNER_KEY}` };
  const refused = ['JSON as plain text', 'JSON as plain text, by REST', 'a form, by REST', 'GET'];
  for (const [what, path, init] of simpleRequests(auth)) {
    if (!refused.includes(what)) continue;
    expect((await send(gateway, path, init)).status, what).toBeOneOf([405, 415]);
  }
  expect(await roles(gateway)).toEqual([]);
});

test('a page of an origin that only looks like one that is allowed is told nothing', async () => {
  const gateway = await startGateway({
    database: 'postgres',
    environment: { CORS_ORIGINS: 'https://app.example' },
  });
  const origins = [
    'null',
    '',
    '*',
    'http://app.example',
    'https://app.example:8443',
    'https://app.example.evil.example',
    'https://evilapp.example',
    'https://evil.example/https://app.example',
    'https://app.example/',
    'https://app.example@evil.example',
    'https://app.example, https://evil.example',
    'https://APP.example',
    'https://app.example.',
    'https://appXexample',
    'file://',
  ];
  const asked = (path: string, method: string, origin: string) =>
    send(gateway, path, {
      method,
      headers: {
        origin,
        authorization: `Bearer ${OWNER_KEY}`,
        ...(method === 'OPTIONS' && { 'access-control-request-method': 'POST' }),
      },
    });
  const told = ({ headers }: Response) =>
    [...headers.keys()].filter((name) => /^access-control-allow-(origin|credentials)$/.test(name));
  for (const path of ['/graphql?query={__typename}', '/v1/packs', '/metrics', '/readyz']) {
    for (const method of ['OPTIONS', 'GET']) {
      for (const origin of origins) {
        expect(told(await asked(path, method, origin)), `${method} ${path} ${origin}`).toEqual([]);
      }
    }
  }
  for (const path of ['/graphql?query={__typename}', '/v1/packs']) {
    const allowed = await asked(path, 'GET', 'https://app.example');
    expect(told(allowed), path).toEqual(['access-control-allow-origin']);
  }
});
