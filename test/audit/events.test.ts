import { describe, expect, test } from 'vitest';
import { type Change, change, events, packImage, pushImage } from '../packs/changes.ts';
import { databaseKinds, startGateway } from '../support/gateway.ts';

describe.each(databaseKinds)('the audit log on %s', (database) => {
  test('each change writes exactly its events, with who did it in which request', async () => {
    const gateway = await startGateway({ database });
    const { data } = await gateway.graphql('{ viewer { apiKey { id } } }');
    const actor = data.viewer.apiKey.id;
    const requestIds = new Set<string>();
    let seen = 0;
    const wrote = async (): Promise<[string, string][]> => {
      const added = (await events(gateway)).slice(seen);
      seen += added.length;
      expect(new Set(added.map((event) => event.requestId)).size).toBe(Math.min(added.length, 1));
      for (const event of added) {
        expect(event.actor).toBe(actor);
        expect(requestIds.has(event.requestId)).toBe(false);
      }
      for (const { requestId } of added) requestIds.add(requestId);
      return added.map(({ type, subjectId }) => [type, subjectId]);
    };
    const by = async (name: Change, variables: object) => {
      const answer = await change(gateway, name, variables);
      expect(answer.code, answer.message).toBeUndefined();
      return answer;
    };

    const { id } = await gateway.pack('triage');
    expect(await wrote()).toEqual([['PACK_UPLOADED', id]]);
    await pushImage(gateway, 'team/other', 'v1', packImage({ name: 'other' }));
    const { pack: created } = await by('createPackFromImage', { imageRef: 'team/other:v1' });
    expect(await wrote()).toEqual([['PACK_CREATED', created.id]]);
    await pushImage(gateway, 'team/other', 'v2', packImage({ name: 'other', version: '2.0.0' }));
    await by('replacePackImage', { id: created.id, imageRef: 'team/other:v2' });
    expect(await wrote()).toEqual([['PACK_IMAGE_REPLACED', created.id]]);
    await by('updatePackVisibility', { id, visibility: 'COMMUNITY' });
    expect(await wrote()).toEqual([['PACK_VISIBILITY_CHANGED', id]]);
    const { pack: cloned } = await by('clonePack', { id, name: 'copy' });
    expect(await wrote()).toEqual([['PACK_CLONED', cloned.id]]);
    const input = { name: 'agent', packIds: [id] };
    const { role } = await by('createAgentRole', { input });
    expect(await wrote()).toEqual([
      ['AGENT_ROLE_CREATED', role.id],
      ['PACK_ATTACHED', id],
    ]);
    await by('updateAgentRole', { id: role.id, input: { displayName: 'x', packIds: [cloned.id] } });
    expect(await wrote()).toEqual([
      ['PACK_DETACHED', id],
      ['PACK_ATTACHED', cloned.id],
      ['AGENT_ROLE_UPDATED', role.id],
    ]);
    await by('attachPack', { roleId: role.id, packId: id });
    expect(await wrote()).toEqual([['PACK_ATTACHED', id]]);
    await by('detachPack', { roleId: role.id, packId: id });
    expect(await wrote()).toEqual([['PACK_DETACHED', id]]);
    await by('archiveAgentRole', { id: role.id });
    expect(await wrote()).toEqual([['AGENT_ROLE_ARCHIVED', role.id]]);
    await by('unarchiveAgentRole', { id: role.id });
    expect(await wrote()).toEqual([['AGENT_ROLE_UNARCHIVED', role.id]]);
    await by('deletePack', { id });
    expect(await wrote()).toEqual([
      ['PACK_DELETION_STARTED', id],
      ['PACK_DELETED', id],
    ]);
    const { key } = await by('createApiKey', { label: 'ci', permissionSet: 'READ_ONLY' });
    expect(await wrote()).toEqual([['API_KEY_CREATED', key.id]]);
    await by('revokeApiKey', { id: key.id });
    expect(await wrote()).toEqual([['API_KEY_REVOKED', key.id]]);
  });

  test('what was refused, and what was so already, writes nothing', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('globex');
    const { id } = await gateway.pack('triage');
    const input = { name: 'agent', packIds: [id] };
    const { role } = await change(gateway, 'createAgentRole', { input });
    const before = await events(gateway);
    const ids = { id, roleId: role.id, packId: id };
    const tries: [Change, object, string?][] = [
      ['deletePack', { id }],
      ['clonePack', { id }],
      ['createAgentRole', { input }],
      ['createAgentRole', { input: { name: 'no good' } }],
      ['updateAgentRole', { id: role.id, input: { name: 'agent', packIds: [id] } }],
      ['updatePackVisibility', { id, visibility: 'ORG' }],
      ['unarchiveAgentRole', { id: role.id }],
      ['attachPack', ids],
      ['createPackFromImage', { imageRef: 'team/none:v1' }],
      ['createApiKey', { label: '', permissionSet: 'READ_ONLY' }],
      ['archiveAgentRole', { id: role.id }, other],
      ['detachPack', ids, other],
      ['deletePack', { id }, other],
    ];
    for (const [name, variables, key] of tries) await change(gateway, name, variables, key);
    await gateway.upload(Buffer.from('no archive'));
    expect(await events(gateway)).toEqual(before);
    expect(await events(gateway, other)).toEqual([]);
  });
});
