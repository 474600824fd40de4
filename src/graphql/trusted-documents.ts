/** With TRUSTED_DOCUMENTS only documents on that list run; a client names one by its hash and sends no text. */
import type { GraphQLParams } from 'graphql-yoga';
import { refusal } from './refusal.ts';
import type { YogaPlugin } from './server-context.ts';

/** The request parameter in which GraphQL over HTTP names a document. */
export const DOCUMENT_ID = 'documentId';

/** @param documents text by hash; hashes may be bare or say their algorithm, `sha256:…` */
export function useTrustedDocuments(documents: ReadonlyMap<string, string>): YogaPlugin {
  const byHash = new Map([...documents].map(([hash, text]) => [bare(hash), text]));
  return {
    onParams({ params, setParams }) {
      // A text is refused even beside a hash of the list: nobody has to compare the two.
      if (params.query) throw untrusted(`send ${DOCUMENT_ID} in place of the query.`);
      const hash = documentId(params) ?? persistedQueryHash(params);
      if (hash === null) {
        throw untrusted(
          `name one by its hash, as ${DOCUMENT_ID} or extensions.persistedQuery.sha256Hash.`,
        );
      }
      const query = byHash.get(bare(hash));
      if (query === undefined) throw untrusted('this hash is not there.');
      setParams({ ...params, query });
    },
  };
}

const untrusted = (what: string) =>
  refusal('document_not_trusted', `Only documents on this server's list are run: ${what}`);

const bare = (hash: string): string => hash.replace(/^sha256:/, '');

// Yoga's type of the parameters knows only those of every request.
function documentId(params: GraphQLParams & { readonly [DOCUMENT_ID]?: unknown }): string | null {
  const id = params[DOCUMENT_ID];
  return typeof id === 'string' ? id : null;
}

/** Apollo's automatic persisted queries. None is ever registered, so the hash must be on the list. */
function persistedQueryHash({ extensions }: GraphQLParams): string | null {
  const query: unknown = extensions?.persistedQuery;
  if (typeof query !== 'object' || query === null || !('sha256Hash' in query)) return null;
  return typeof query.sha256Hash === 'string' ? query.sha256Hash : null;
}
