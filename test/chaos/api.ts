/** The operations that clients use, over HTTP. An operation that never answers is `null`. */
import { samplePack } from '../support/archives.ts';
import { OWNER_KEY } from '../support/owner-key.ts';

/** The member of the union that a mutation answered; which fields it has depends on its type. */
export interface Answer {
  readonly __typename: string;
  readonly pack?: { readonly id: string; readonly imageDigest: string };
  readonly role?: { readonly id: string };
  readonly code?: string;
  readonly reason?: string;
  readonly remainingTags?: readonly string[];
  readonly nodes?: readonly { readonly id: string; name: string; imageDigest: string }[];
}

const PATIENCE_MS = 25_000;
const headers = { authorization: `Bearer ${OWNER_KEY}` };

const UPLOAD = `mutation ($archive: File!) { result: uploadPack(archive: $archive) {
  __typename ... on UploadedPack { pack { id imageDigest } } ... on Error { code } } }`;
const DELETE = `mutation ($pack: ID!) { result: deletePack(id: $pack) {
  __typename ... on DeletedPack { remainingTags }
  ... on Error { code } ... on RegistryCleanupFailed { reason } } }`;
const ATTACH = `mutation ($role: ID!, $pack: ID!) { result: attachPack(roleId: $role, packId: $pack) {
  __typename ... on Error { code } } }`;
const DETACH = `mutation ($role: ID!, $pack: ID!) { result: detachPack(roleId: $role, packId: $pack) {
  __typename ... on Error { code } } }`;
const CREATE_ROLE = `mutation ($name: String!) {
  result: createAgentRole(input: { name: $name, displayName: $name, environment: STAGING, packIds: [] }) {
    __typename ... on CreatedAgentRole { role { id } } ... on Error { code } } }`;
const FIND = `query ($name: String!) {
  result: packs(first: 20, filter: { nameContains: $name }) { __typename nodes { id name imageDigest } } }`;

const LIST = '{ result: packs(first: 1) { __typename nodes { id name imageDigest } } }';

export function upload(url: string, name: string): Promise<Answer | null> {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query: UPLOAD, variables: { archive: null } }));
  form.set('map', JSON.stringify({ file: ['variables.archive'] }));
  form.set('file', new File([new Uint8Array(samplePack({ name }))], 'pack.tar.gz'));
  return post(url, form, {});
}

/** The pack of a name, as reads see it; null where there is none, or no answer. */
export async function findPack(
  url: string,
  name: string,
): Promise<{ id: string; name: string; imageDigest: string } | null> {
  const answer = await run(url, FIND, { name });
  return answer?.nodes?.find((pack) => pack.name === name) ?? null;
}

export const deletePack = (url: string, pack: string) => run(url, DELETE, { pack });
export const attachPack = (url: string, role: string, pack: string) =>
  run(url, ATTACH, { role, pack });
export const detachPack = (url: string, role: string, pack: string) =>
  run(url, DETACH, { role, pack });
export const listPacks = (url: string) => run(url, LIST, {});
export const createRole = (url: string, name: string) => run(url, CREATE_ROLE, { name });

const run = (url: string, query: string, variables: object) =>
  post(url, JSON.stringify({ query, variables }), { 'content-type': 'application/json' });

async function post(
  url: string,
  body: FormData | string,
  more: Record<string, string>,
): Promise<Answer | null> {
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { ...headers, ...more },
      body,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const answer = (await response.json()) as { data?: { result: Answer } | null }; // as the queries above ask
    return answer.data?.result ?? null;
  } catch {
    return null;
  }
}
