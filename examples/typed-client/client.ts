/** A client in thirty lines: typed by the document that it runs, and good for servers with TRUSTED_DOCUMENTS too. */
import type { TypedDocumentString } from './generated/graphql.ts';

export interface ClientOptions {
  /** Of the endpoint: `http://127.0.0.1:4000/graphql`. */
  readonly url: string;
  /** An API key or a session token. */
  readonly key: string;
  /** Send the document's hash in place of its text, as a server with TRUSTED_DOCUMENTS demands. */
  readonly byHash?: boolean;
}

/** The request was refused as a whole; expected problems are data, and never thrown. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed';
}

/**
 * Runs one of the generated documents.
 * @throws RequestFailed with code, message and request id of each error
 */
export async function run<Result, Variables>(
  { url, key, byHash = false }: ClientOptions,
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json',
      authorization: `Bearer ${key}`,
    },
    body: JSON.stringify({
      ...(byHash ? { documentId: document.__meta__?.hash } : { query: document.toString() }),
      variables,
    }),
  });
  const { data, errors } = (await response.json()) as Answer<Result>;
  if (data == null || errors !== undefined) throw new RequestFailed(describe(errors));
  return data;
}

interface Answer<Result> {
  readonly data?: Result | null;
  readonly errors?: readonly GraphQLFailure[];
}

interface GraphQLFailure {
  readonly message: string;
  readonly extensions?: { readonly code?: string; readonly requestId?: string };
}

const describe = (errors: readonly GraphQLFailure[] = []): string =>
  errors
    .map(
      ({ message, extensions }) =>
        `${extensions?.code}: ${message} (request ${extensions?.requestId})`,
    )
    .join('\n');
