import { readdirSync, readFileSync } from 'node:fs';
import { getOperationAST, Kind, parse, print } from 'graphql';
import { expect, test } from 'vitest';
import { change } from '../packs/changes.ts';
import { samplePack } from '../support/archives.ts';
import { subscribe } from '../support/event-stream.ts';
import { type Gateway, type Json, startGateway } from '../support/gateway.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

const DIRECTORY = 'examples/operations';
const files = readdirSync(DIRECTORY).sort();

test('each file holds one operation, named like the file, and says what it is for', () => {
  for (const file of files) {
    const text = readFileSync(`${DIRECTORY}/${file}`, 'utf8');
    const name = getOperationAST(parse(text))?.name?.value ?? '';
    expect(name.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase(), file).toBe(
      file.replace('.graphql', ''),
    );
    expect(text, file).toMatch(/^# \w/);
  }
});

test.each(files)('%s answers without an error', async (file) => {
  const gateway = await startGateway({ database: 'postgres' });
  const document = parse(readFileSync(`${DIRECTORY}/${file}`, 'utf8'));
  const variables = await valuesFor(gateway);
  const required = (getOperationAST(document)?.variableDefinitions ?? [])
    .filter(({ type, defaultValue }) => type.kind === Kind.NON_NULL_TYPE && !defaultValue)
    .map(({ variable }) => variable.name.value);
  // The next version of a pack has the name of the pack.
  const values =
    file === 'replace-pack-archive.graphql'
      ? { ...variables, archive: samplePack({ name: 'triage', version: '2.0.0' }) }
      : variables;
  const given = Object.fromEntries(required.map((name) => [name, valueFor(values, name)]));
  const answer =
    getOperationAST(document)?.operation === 'subscription'
      ? await firstEvent(gateway, print(document), variables)
      : await send(gateway, print(document), given);
  expect(answer.errors).toBeUndefined();
  for (const [field, value] of Object.entries<Json>(answer.data)) {
    expect(value, field).not.toBeNull();
    // Every mutation says which member of its union it answered, and nothing asked for here is missing or malformed.
    expect(value.__typename ?? '', field).not.toMatch(/^(?:NotFound|ValidationFailed)$/);
  }
});

/** A value for every variable that an example asks for. */
async function valuesFor(gateway: Gateway) {
  const { id: packId, imageRef } = await gateway.pack('triage');
  const made = await gateway.graphql(`mutation {
    createAgentRole(input: { name: "on-call" }) { ... on CreatedAgentRole { role { id } } }
    createApiKey(label: "ci", permissionSet: READ_ONLY) { ... on CreatedApiKey { key { id } } }
  }`);
  return {
    packId,
    imageRef,
    roleId: made.data.createAgentRole.role.id,
    keyId: made.data.createApiKey.key.id,
    label: 'deploy',
    input: { name: 'second-line', packIds: [packId] },
    changes: { displayName: 'On call', packIds: [packId] },
    archive: samplePack({ name: 'uploaded' }),
    content: Buffer.from('# Behave\n'),
    path: 'behavior.md',
    packName: 'triage',
    roleName: 'on-call',
  };
}

function valueFor(values: Readonly<Record<string, unknown>>, name: string): unknown {
  if (!Object.hasOwn(values, name)) throw new Error(`no value for $${name}: add one to valuesFor`);
  return values[name];
}

/** Subscribes, gives a role a pack, and answers what is told of that. */
async function firstEvent(
  gateway: Gateway,
  query: string,
  { packId, roleId }: Awaited<ReturnType<typeof valuesFor>>,
): Promise<Json> {
  await using stream = await subscribe(gateway, { query });
  await change(gateway, 'attachPack', { roleId, packId });
  return await stream.next();
}

/** Sends an operation; a file among its variables makes it a multipart request. */
async function send(
  gateway: Gateway,
  query: string,
  variables: Record<string, unknown>,
): Promise<Json> {
  const [name = '', file] =
    Object.entries(variables).find(([, value]) => Buffer.isBuffer(value)) ?? [];
  if (!Buffer.isBuffer(file)) return gateway.graphql(query, variables);
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables: { ...variables, [name]: null } }));
  form.set('map', JSON.stringify({ file: [`variables.${name}`] }));
  form.set('file', new File([new Uint8Array(file)], 'pack.tar.gz'));
  return (await gateway.rest('POST', '/graphql', { body: form, key: OWNER_KEY })).body;
}
