import { expect, test } from 'vitest';
import { startProxy } from '../support/forward-proxy.ts';
import { startGateway } from '../support/gateway.ts';
import { startSessionIssuer } from '../support/session-issuer.ts';

const VIEWER = '{ viewer { userId } }';

test('the keys of sessions are fetched through the proxy, which alone can look their host up', async () => {
  const proxy = await startProxy();
  const issuer = await startSessionIssuer();
  const keys = new URL(issuer.environment.JWKS_URL ?? '');
  keys.hostname = 'login.invalid';
  const environment = { ...issuer.environment, JWKS_URL: keys.href, HTTP_PROXY: proxy.url };
  const gateway = await startGateway({ environment });
  const token = await issuer.token('user-1', 60);
  expect((await gateway.graphql(VIEWER, {}, token)).data).toEqual({ viewer: { userId: 'user-1' } });
  expect(proxy.asked).toEqual([`GET ${keys.href}`]);
});

test('NO_PROXY holds for them too', async () => {
  const proxy = await startProxy();
  const issuer = await startSessionIssuer();
  const environment = {
    ...issuer.environment,
    HTTP_PROXY: proxy.url,
    NO_PROXY: 'elsewhere.invalid,127.0.0.1',
  };
  const gateway = await startGateway({ environment });
  const token = await issuer.token('user-1', 60);
  expect((await gateway.graphql(VIEWER, {}, token)).data).toEqual({ viewer: { userId: 'user-1' } });
  expect(proxy.asked).toEqual([]);
});
