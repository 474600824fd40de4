/** With TRUSTED_DOCUMENTS only documents on that list run; a client names one by its hash and sends no text. */
import type { GraphQLError } from 'graphql';
import type { GraphQLParams } from 'graphql-yoga';
import { refusal } from './refusal.ts';
import type { YogaPlugin } from './server-context.ts';

/** The request parameter in which GraphQL over HTTP names a document. */
export const DOCUMENT_ID = 'documentId';

export interface TrustedDocuments {
  readonly plugin: YogaPlugin;
  /** The text of the document that a request names, or null where it names none of the list. */
  find(params: GraphQLParams): string | null;
}

/** @param documents text by hash; hashes may be bare or say their algorithm, `sha256:…` */
export function createTrustedDocuments(documents: ReadonlyMap<string, string>): TrustedDocuments {
  const byHash = new Map([...documents].map(([hash, text]) => [bare(hash), text]));
  const find = (params: GraphQLParams) => {
    // A text is refused even beside a hash of the list: nobody has to compare the two.
    const hash = params.query ? null : hashOf(params);
    return hash === null ? null : (byHash.get(bare(hash)) ?? null);
  };
  return {
    plugin: {
      onParams({ params, setParams }) {
        const query = find(params);
        if (query === null) throw untrusted(params);
        setParams({ ...params, query });
      },
    },
    find,
  };
}

function untrusted(params: GraphQLParams): GraphQLError {
  const named = `${DOCUMENT_ID} or extensions.persistedQuery.sha256Hash`;
  const what = params.query
    ? `send ${DOCUMENT_ID} in place of the query.`
    : hashOf(params) === null
      ? `name one by its hash, as ${named}.`
      : 'this hash is not there.';
  return refusal('document_not_trusted', `Only documents on this server's list are run: ${what}`);
}

const hashOf = (params: GraphQLParams): string | null =>
  documentId(params) ?? persistedQueryHash(params);

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
