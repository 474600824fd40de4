import { execFile } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { RequestFailed, run } from '../../examples/typed-client/client.ts';
import { explainDeletion } from '../../examples/typed-client/explain-deletion.ts';
import {
  AttachPackDocument,
  CreateAgentRoleDocument,
  DeletePackDocument,
  DetachPackDocument,
  WhoAmIDocument,
} from '../../examples/typed-client/generated/graphql.ts';
import { startGateway } from '../support/gateway.ts';
import { listening } from '../support/listening.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const TRUSTED_DOCUMENTS = 'examples/typed-client/generated/persisted-documents.json';

describe.each([
  { name: 'by text', byHash: false, environment: {} },
  {
    name: 'by hash, on a server with TRUSTED_DOCUMENTS',
    byHash: true,
    environment: { TRUSTED_DOCUMENTS },
  },
])('the typed client $name', ({ byHash, environment }) => {
  async function start() {
    const uploading = await startGateway({ database: 'postgres' });
    const { id: packId } = await uploading.pack('triage');
    // A replica on the same data, because the text of an upload by a test is on nobody's list.
    const replica = await startGateway({
      environment: { ...uploading.environment, ...environment },
    });
    const url = `${await listening(replica)}/graphql`;
    return { packId, options: { url, key: OWNER_KEY, byHash } };
  }

  test('tells each outcome of a deletion', async () => {
    const { packId, options } = await start();
    const { createAgentRole: created } = await run(options, CreateAgentRoleDocument, {
      input: { name: 'on-call' },
    });
    if (created.__typename !== 'CreatedAgentRole') throw new Error(created.__typename);
    const held = { packId, roleId: created.role.id };
    expect((await run(options, AttachPackDocument, held)).attachPack.__typename).toBe(
      'AttachedPack',
    );
    const explain = async () =>
      explainDeletion((await run(options, DeletePackDocument, { packId })).deletePack);
    expect(await explain()).toBe('Still used by on-call: detach it there first.');
    await run(options, DetachPackDocument, held);
    expect(await explain()).toBe('triage is gone; its image: PURGED.');
    expect(await explain()).toBe('There is no such pack (any more).');
  });

  test('throws what is no outcome, with its code', async () => {
    const { options } = await start();
    const refused = run({ ...options, key: 'sk_unknown' }, WhoAmIDocument, {});
    await expect(refused).rejects.toThrow(RequestFailed);
    await expect(refused).rejects.toThrow('UNAUTHENTICATED');
  });

  test('is a script that answers in one line', async () => {
    const { packId, options } = await start();
    const script = await new Promise((done) =>
      execFile(
        process.execPath,
        ['examples/typed-client/delete-pack.ts', packId],
        {
          env: {
            PACK_GATEWAY_URL: options.url,
            PACK_GATEWAY_KEY: OWNER_KEY,
            PACK_GATEWAY_BY_HASH: byHash ? 'yes' : 'no',
          },
        },
        (error, stdout, stderr) => done({ code: error?.code ?? 0, stdout, stderr }),
      ),
    );
    expect(script).toEqual({
      code: 0,
      stdout: 'triage is gone; its image: PURGED.\n',
      stderr: '',
    });
  });
});

test('a problem that a newer server answers is told by its message', () => {
  // A member that the generated types do not know, as a newer server would send it.
  const unknown = { __typename: 'PackFrozen', message: 'The pack is frozen.' } as unknown;
  expect(explainDeletion(unknown as Parameters<typeof explainDeletion>[0])).toBe(
    'The pack is frozen.',
  );
});
