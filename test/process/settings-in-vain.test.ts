import { expect, test } from 'vitest';
import { startGateway } from '../support/gateway.ts';

const ACCOUNT = { REGISTRY_USERNAME: 'ci', REGISTRY_PASSWORD: 'sekret' };

test.each([
  [{ ...ACCOUNT, REGISTRY_TOKEN_HOSTS: 'auth.example' }, /USERNAME.*PASSWORD.*TOKEN_HOSTS.*URL=/],
  [{ REGISTRY_URL: 'http://127.0.0.1:9', REGISTRY_USERNAME: 'ci' }, /^REGISTRY_USERNAME.*empty/],
  [{ REGISTRY_URL: 'http://127.0.0.1:9', ...ACCOUNT }, null],
])('%j: the log says what will have no effect', async (environment, warning) => {
  const { logs } = await startGateway({ environment });
  const warned = logs.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
  expect(warned).toEqual(warning === null ? [] : [expect.stringMatching(warning)]);
});
