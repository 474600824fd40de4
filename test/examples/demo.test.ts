import { expect, test } from 'vitest';
import { run } from '../process/run.ts';
import { freePort } from '../support/free-port.ts';
import { startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

test('the demo plays the whole story of a deletion', { timeout: 180_000 }, async () => {
  const gateway = await startGateway();
  const ended = await run('examples/demo.ts', {
    GATEWAY_URL: await listening(gateway),
    API_KEY: OWNER_KEY,
  });
  expect(ended.stderr).toBe('');
  expect(ended.code).toBe(0);
  const outcomes = ended.stdout.match(
    /ReplacedPackArchive: [\d.]+|deletable: \w+|PackInUse: .+|deleted; its image: \w+|(?:NotFound|RegistryCleanupFailed): /g,
  );
  expect(outcomes).toEqual([
    'ReplacedPackArchive: 9.0.0',
    'deletable: false',
    expect.stringMatching(/held by night-shift-\w+, on-call-\w+$/),
    expect.stringMatching(/held by night-shift-\w+, on-call-\w+ \(archived\)$/),
    'deleted; its image: PURGED',
    'NotFound: ',
    'RegistryCleanupFailed: ',
    'deleted; its image: PURGED',
  ]);
});

test('where nothing listens the demo says what to do, in one line', async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const ended = await run('examples/demo.ts', { GATEWAY_URL: url, API_KEY: OWNER_KEY });
  expect(ended.code).toBe(1);
  expect(ended.stderr).toBe(
    `GATEWAY_URL: no gateway answers at ${url}; start one with \`npm start\`, or name where it listens\n`,
  );
});

test('without a key the demo says which variable to set', async () => {
  const ended = await run('examples/demo.ts');
  expect(ended).toMatchObject({ code: 1, stdout: '' });
  expect(ended.stderr).toMatch(/^API_KEY: must be set; .+\n$/);
});
