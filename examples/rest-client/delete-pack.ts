/**
 * Deletes a pack through the REST twin, with types made of its OpenAPI document:
 *
 *   npm run openapi
 *   npx -p openapi-typescript@7.13.0 -p typescript@5.9.3 openapi-typescript \
 *     examples/rest-client/openapi.json -o examples/rest-client/generated/openapi.ts
 */
import createClient from 'openapi-fetch';
import type { components, paths } from './generated/openapi.ts';

type Schemas = components['schemas'];
type Problem = Schemas['Error'] | Schemas['PackInUse'] | Schemas['RegistryCleanupFailed'];

const isPackInUse = (problem: Problem): problem is Schemas['PackInUse'] =>
  problem.error.code === 'pack_in_use';
const isCleanupFailed = (problem: Problem): problem is Schemas['RegistryCleanupFailed'] =>
  problem.error.code === 'registry_cleanup_failed';

/** What came of it, in one sentence for the operator. */
export async function deletePack(url: string, apiKey: string, id: string): Promise<string> {
  const client = createClient<paths>({
    baseUrl: url,
    headers: { authorization: `Bearer ${apiKey}` },
  });
  const { data, error } = await client.DELETE('/v1/packs/{id}', { params: { path: { id } } });
  if (data !== undefined) return data.status;
  if (isPackInUse(error)) {
    const { roles, total, other_org_total: others } = error.error.details;
    return `still used by ${total + others} roles: ${roles.map(({ name }) => name).join(', ')}`;
  }
  if (isCleanupFailed(error)) {
    return `kept, because the registry failed: ${error.error.details.reason}`;
  }
  return error.error.message;
}
