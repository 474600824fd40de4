/** With TRUSTED_DOCUMENTS only documents on that list run; a client names one by its hash and sends no text. */
import { usePersistedOperations } from '@graphql-yoga/plugin-persisted-operations';
import type { GraphQLParams } from 'graphql-yoga';
import { refusal } from './refusal.ts';
import type { YogaPlugin } from './server-context.ts';

/** The text of the operation that is asked for; null where there is something to say about how it is asked for. */
export type TextOf = (params: GraphQLParams) => string | null;

/** @param documents those on the list, if there is one */
export function textFinder(documents: ReadonlyMap<string, string> | null): TextOf {
  if (documents === null) {
    return ({ query, extensions }) => (query && extensions === undefined ? query : null);
  }
  const byHash = barely(documents);
  return (params) => {
    const hash = params.query === undefined ? hashOf(params) : null;
    return hash === null ? null : (byHash.get(hash) ?? null);
  };
}

const barely = (documents: ReadonlyMap<string, string>): ReadonlyMap<string, string> =>
  new Map([...documents].map(([hash, text]) => [bare(hash), text]));

/** @param documents text by hash; hashes may be bare or say their algorithm, `sha256:…` */
export function useTrustedDocuments(documents: ReadonlyMap<string, string>): YogaPlugin {
  const byHash = barely(documents);
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
