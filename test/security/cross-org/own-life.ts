/** What the prober does with what is his: enough to be given an object of every type that there is. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GraphQLSchema } from 'graphql';
import type { Json } from '../../support/gateway.ts';
import { documentOf, graphqlRequest } from './graphql-operations.ts';
import type { Answer, Prober } from './prober.ts';
import type { World } from './world.ts';

const DEPTH = 4;

/** Answers each answer, in which everything was asked for. */
export async function liveOwnLife(
  { gateway, own, communityPack }: World,
  prober: Prober,
  schema: GraphQLSchema,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const call = async (name: string, variables: Json, packName?: string): Promise<Json> => {
    const field = schema.getMutationType()?.getFields()[name];
    if (field === undefined) throw new Error(`there is no mutation ${name}`);
    const query = documentOf(schema, 'mutation', field, variables, DEPTH);
    const answer = await prober.ask(graphqlRequest(query, variables, packName));
    answers.push(answer);
    if (answer.body.data == null) throw new Error(`${name}: ${answer.text}`);
    return answer.body.data[name];
  };
  const { role: made } = await call('createAgentRole', { input: { name: 'made' } });
  await call('createAgentRole', { input: { name: 'made' } });
  await call('createAgentRole', { input: { name: 'not a name' } });
  await call('updateAgentRole', {
    id: made.id,
    input: { displayName: 'Made', packIds: [communityPack.id, own.shared] },
  });
  await call('attachPack', { roleId: made.id, packId: own.pack });
  await call('detachPack', { roleId: made.id, packId: own.pack });
  await call('detachPackFromRoles', { packId: own.pack, roleIds: [made.id] });
  await call('archiveAgentRole', { id: made.id });
  await call('unarchiveAgentRole', { id: made.id });
  await call('unarchiveAgentRole', { id: made.id });
  await call('updatePackVisibility', { id: own.shared, visibility: 'ORG' });
  await call('deletePack', { id: own.shared });
  await call('deletePack', { id: communityPack.id });
  const { pack: uploaded } = await call('uploadPack', { archive: null }, 'uploaded');
  await call('uploadPack', { archive: null }, 'uploaded');
  await call('replacePackArchive', { id: uploaded.id, archive: null }, 'uploaded');
  const file = { id: uploaded.id, path: 'data/added' };
  await call('replacePackFile', { ...file, content: null }, 'uploaded');
  await call('deletePackFile', file);
  await call('clonePack', { id: communityPack.id, name: 'copy-of-shared' });
  // Only the clone holds the image now, and the image's own name is free again.
  const { pack: clone } = await call('clonePack', { id: own.free, name: 'copy-of-free' });
  await call('deletePack', { id: own.free });
  const { pack: found } = await call('createPackFromImage', { imageRef: clone.imageRef });
  await call('updatePackVisibility', { id: found.id, visibility: 'COMMUNITY' });
  await call('replacePackImage', { id: found.id, imageRef: clone.imageRef });
  await call('deletePackFile', { id: found.id, path: 'behavior.md' });
  const { pack: doomed } = await call('uploadPack', { archive: null }, 'doomed');
  const index = join(gateway.dataDirectory, 'registry', 'index.json');
  const whole = readFileSync(index);
  writeFileSync(index, 'damaged');
  await call('deletePack', { id: doomed.id });
  await call('attachPack', { roleId: made.id, packId: doomed.id });
  await call('clonePack', { id: own.shared, name: 'too-late' });
  writeFileSync(index, whole);
  const { key } = await call('createApiKey', { label: 'made', permissionSet: 'READ_ONLY' });
  await call('revokeApiKey', { id: key.id });
  return answers;
}
