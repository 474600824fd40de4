/** With TRUSTED_DOCUMENTS only documents on that list run; a client names one by its hash and sends no text. */
import { usePersistedOperations } from '@graphql-yoga/plugin-persisted-operations';
import type { GraphQLParams } from 'graphql-yoga';
import { refusal } from './refusal.ts';
import type { YogaPlugin } from './server-context.ts';

/** The text of the operation that is asked for; null where there is something to say about how it is asked for. */
export type TextOf = (params: GraphQLParams) => string | null;

/** @param byHash those on the list, if there is one */
export function textFinder(byHash: TrustedDocuments | null): TextOf {
  if (byHash === null) {
    return ({ query, extensions }) => (query && extensions === undefined ? query : null);
  }
  return (params) => {
    const hash = params.query === undefined ? hashOf(params) : null;
    return hash === null ? null : (byHash.get(hash) ?? null);
  };
}

/** Texts by their bare hashes. */
export type TrustedDocuments = ReadonlyMap<string, string>;

/** @param listed text by hash; hashes may be bare or say their algorithm, `sha256:…` */
export const trustedDocuments = (listed: ReadonlyMap<string, string>): TrustedDocuments =>
  new Map([...listed].map(([hash, text]) => [bare(hash), text]));

export function useTrustedDocuments(byHash: TrustedDocuments): YogaPlugin {
  const plugin: unknown = usePersistedOperations({
    extractPersistedOperationId: hashOf,
    getPersistedOperation: (hash) => byHash.get(hash) ?? null,
    customErrors: {
      // A text is refused even beside a hash of the list: nobody has to compare the two.
      persistedQueryOnly: () => untrusted('send documentId in place of the query.'),
      keyNotFound: () =>
        untrusted('name one by its hash, as documentId or extensions.persistedQuery.sha256Hash.'),
      notFound: ({ params }) =>
        persistedQueryHash(params) === null
          ? untrusted('this hash is not there.')
          : refusal('persisted_query_not_found', 'PersistedQueryNotFound'),
    },
  });
  // Its type speaks of no server context, and it does not look at one.
  return plugin as YogaPlugin;
}

/**
 * Without TRUSTED_DOCUMENTS no text is kept for a hash: a client that sends one alone is told so in the words at which
 * Apollo's and urql's links send the text.
 */
export function useNoPersistedQueries(): YogaPlugin {
  return {
    onParams({ params }) {
      if (params.query) return;
      if (persistedQueryHash(params) !== null) {
        throw refusal('persisted_query_not_supported', 'PersistedQueryNotSupported');
      }
      const hint = documentId(params) === null ? '' : ' This server has no list of documents.';
      throw refusal('bad_request', `Send the text of the operation as "query".${hint}`);
    },
  };
}

const untrusted = (what: string) =>
  refusal('document_not_trusted', `Only documents on this server's list are run: ${what}`);

function hashOf(params: GraphQLParams): string | null {
  const hash = documentId(params) ?? persistedQueryHash(params);
  return hash === null ? null : bare(hash);
}

const bare = (hash: string): string => hash.replace(/^sha256:/, '');

// Yoga's type of the parameters knows only those of every request.
function documentId(params: GraphQLParams & { readonly documentId?: unknown }): string | null {
  return typeof params.documentId === 'string' ? params.documentId : null;
}

/** Apollo's automatic persisted queries. None is ever registered, so the hash must be on the list. */
function persistedQueryHash({ extensions }: GraphQLParams): string | null {
  const query: unknown = extensions?.persistedQuery;
  if (typeof query !== 'object' || query === null || !('sha256Hash' in query)) return null;
  return typeof query.sha256Hash === 'string' ? query.sha256Hash : null;
}
