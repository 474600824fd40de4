/** Notes for the log which operation ran: its root fields, and what the caller called it. */
import { getOperationAST, Kind } from 'graphql';
import type { YogaPlugin } from './server-context.ts';

const LONGEST_NAME = 100;

export function useOperationName(): YogaPlugin {
  const note: NonNullable<YogaPlugin['onExecute']> & NonNullable<YogaPlugin['onSubscribe']> = ({
    args: { document, operationName, contextValue },
  }) => {
    const operation = getOperationAST(document, operationName);
    const names = (operation?.selectionSet.selections ?? [])
      .slice(0, 5)
      .map((selection) => (selection.kind === Kind.FIELD ? selection.name.value : '…'));
    const { record } = contextValue;
    record.operation = `${operation?.operation ?? 'query'} ${names.join(' ')}`;
    record.operationName = operation?.name?.value.slice(0, LONGEST_NAME) ?? null;
  };
  return { onExecute: note, onSubscribe: note };
}
