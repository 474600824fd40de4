import { OWNER_KEY } from '../support/owner-key.ts';
import { Client } from './client.ts';
import type { Stock } from './traffic.ts';

const PACKS = 60;
const ROLES = 12;

const UPLOAD = `mutation ($archive: File!) { result: uploadPack(archive: $archive) {
  ... on UploadedPack { pack { id } } ... on Error { code message } } }`;
const CREATE_ROLE = `mutation ($name: String!, $packIds: [ID!]!) {
  result: createAgentRole(input: { name: $name, packIds: $packIds }) {
    ... on CreatedAgentRole { role { id } } ... on Error { code message } } }`;
const CREATE_KEY = `mutation { result: createApiKey(label: "soak", permissionSet: READ_ONLY) {
  ... on CreatedApiKey { secret } ... on Error { code message } } }`;

/** Fills an empty database with what is read in the soak. */
export async function makeStock(url: string): Promise<Stock> {
  const client = new Client(url, 2);
  const packs: string[] = [];
  for (let number = 0; number < PACKS; number++) {
    const reply = await client.upload(OWNER_KEY, UPLOAD, `stock-${number}`);
    packs.push(resultOf(reply.text).pack.id);
  }
  const roles: string[] = [];
  for (let number = 0; number < ROLES; number++) {
    const variables = { name: `role-${number}`, packIds: [packs[0], packs[number + 1]] };
    const reply = await client.graphql(OWNER_KEY, CREATE_ROLE, variables);
    roles.push(resultOf(reply.text).role.id);
  }
  const key = await client.graphql(OWNER_KEY, CREATE_KEY);
  await client.close();
  const [pack, ...morePacks] = packs;
  const [role, ...moreRoles] = roles;
  if (pack === undefined || role === undefined) throw new Error('nothing in stock');
  return {
    packs: [pack, ...morePacks],
    roles: [role, ...moreRoles],
    packInUse: pack,
    readOnlyKey: resultOf(key.text).secret,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: the answer to a query above; a wrong one fails where it is used
function resultOf(text: string): any {
  const { data } = JSON.parse(text);
  if (data?.result === undefined || 'code' in data.result) throw new Error(text);
  return data.result;
}
