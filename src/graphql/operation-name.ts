/** Notes for the log which operation ran: its root fields, never what a caller called it. */
import { type DocumentNode, getOperationAST, Kind } from 'graphql';
import type { YogaPlugin } from './server-context.ts';

export function useOperationName(): YogaPlugin {
  const note: NonNullable<YogaPlugin['onExecute']> & NonNullable<YogaPlugin['onSubscribe']> = ({
    args,
  }) => {
    args.contextValue.record.operation = rootFields(args.document, args.operationName);
  };
  return { onExecute: note, onSubscribe: note };
}

export function rootFields(
  document: DocumentNode,
  operationName: string | null | undefined,
): string {
  const operation = getOperationAST(document, operationName);
  const names = (operation?.selectionSet.selections ?? []).map((selection) =>
    selection.kind === Kind.FIELD ? selection.name.value : '…',
  );
  return `${operation?.operation ?? 'query'} ${names.slice(0, 5).join(' ')}`;
}
