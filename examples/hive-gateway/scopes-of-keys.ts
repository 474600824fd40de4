/**
 * Hive Gateway's `genericAuth` for callers with API keys. A key does not say by itself what it may do, as a JWT does with
 * its `scope`; the service says it of any caller, for one small request more.
 *
 *   // gateway.config.ts
 *   export const gatewayConfig = defineConfig({
 *     genericAuth: scopesOfKeys('http://packs:4000/graphql'),
 *     propagateHeaders: {
 *       fromClientToSubgraphs: ({ request }) => ({ authorization: request.headers.get('authorization') }),
 *     },
 *   });
 */
const QUERY = JSON.stringify({ query: '{ viewer { scopes } }' });
const DEADLINE_MS = 5_000;

interface Answer {
  readonly data?: { readonly viewer: { readonly scopes: readonly string[] } } | null;
}

/** @param packs where the service answers GraphQL */
export const scopesOfKeys = (packs: string) =>
  ({
    mode: 'protect-granular',
    // A field that the caller may not have is null, with an error, and the rest of the answer is kept.
    rejectUnauthenticated: false,
    resolveUserFn: ({ request }: { readonly request: Request }) =>
      callerOf(packs, request.headers.get('authorization')),
  }) as const;

/**
 * The caller with his scopes; null: nobody that the service knows.
 * @throws where the service does not answer, since that says nothing about the caller
 */
async function callerOf(packs: string, authorization: string | null) {
  if (authorization === null) return null;
  const response = await fetch(packs, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json', authorization },
    body: QUERY,
    signal: AbortSignal.timeout(DEADLINE_MS),
  });
  if (response.status === 401) return null;
  const { data }: Answer = response.ok ? await response.json() : {};
  if (data == null) throw new Error(`the service for packs answered ${response.status}`);
  return { scope: data.viewer.scopes };
}
