import type { Plugin } from 'graphql-yoga';
import type { RequestRecord } from '../request-record.ts';

/** What the HTTP layer hands to Yoga with each request. */
export interface ServerContext {
  readonly record: RequestRecord;
  /** What has to be cleaned up when the request is over. */
  readonly disposables: AsyncDisposableStack;
}

export type YogaPlugin = Plugin<ServerContext, ServerContext>;
