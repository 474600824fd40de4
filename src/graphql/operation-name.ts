/** Notes for the log which operation ran: its root fields, and what the caller called it. */
import { type ExecutionArgs, getOperationAST, Kind } from 'graphql';
import type { RequestRecord } from '../request-record.ts';
import type { YogaPlugin } from './server-context.ts';

/** What a log line holds of an operation: enough to know it again. */
const LONGEST_NAME = 100;
const MOST_FIELDS = 5;

export function useOperationName(): YogaPlugin {
  const note: NonNullable<YogaPlugin['onExecute']> & NonNullable<YogaPlugin['onSubscribe']> = ({
    args,
  }) => noteOperation(args, args.contextValue.record);
  return { onExecute: note, onSubscribe: note };
}

export function noteOperation(
  { document, operationName }: Pick<ExecutionArgs, 'document' | 'operationName'>,
  record: RequestRecord,
): void {
  const operation = getOperationAST(document, operationName);
  const names = (operation?.selectionSet.selections ?? [])
    .slice(0, MOST_FIELDS)
    .map((selection) => (selection.kind === Kind.FIELD ? selection.name.value : '…'));
  record.operation = `${operation?.operation ?? 'query'} ${names.join(' ')}`;
  record.operationName = operation?.name?.value.slice(0, LONGEST_NAME) ?? null;
}
