import { type DocumentNode, GraphQLError, getOperationAST, Kind } from 'graphql';
import { quoted } from '../quoted.ts';
import { refusal } from './refusal.ts';
import type { YogaPlugin } from './server-context.ts';

/** Names in a message; more than these nobody reads. */
const MOST_NAMED = 5;

/** Says which operations a document has, where the request chooses none of them; Yoga would only say that. */
export function useChosenOperation(): YogaPlugin {
  return {
    onParse({ context: { params } }) {
      return ({ result }) => {
        if (result instanceof GraphQLError || getOperationAST(result, params?.operationName))
          return;
        throw refusal('bad_request', noneChosen(result, params?.operationName));
      };
    },
  };
}

function noneChosen({ definitions }: DocumentNode, asked: unknown): string {
  const operations = definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  if (operations.length === 0) return 'The document has no operation, only definitions for one.';
  const names = operations.flatMap(({ name }) => name?.value ?? []).slice(0, MOST_NAMED);
  const known = names.length === 0 ? 'a nameless one' : names.map(quoted).join(', ');
  return asked == null
    ? `The document has several operations: name one by "operationName" (${known}).`
    : `The document has no operation ${quoted(String(asked))}; it has ${known}.`;
}
