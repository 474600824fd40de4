import type { Plugin } from 'graphql-yoga';
import type { Body } from '../http/bodies.ts';
import type { Multipart } from '../http/read-multipart.ts';
import type { SpooledFile } from '../http/spooled-file.ts';
import type { RequestRecord } from '../request-record.ts';

/** The files of an operation that is read already. */
export interface PendingUpload {
  readonly multipart: Multipart;
  /** By the name of the part. */
  readonly files: ReadonlyMap<string, SpooledFile>;
}

/** What the HTTP layer hands to Yoga with each request. */
export interface ServerContext {
  readonly record: RequestRecord;
  /**
   * What has to be cleaned up when the request is over, such as files. Stays empty for most: what an asynchronous stack has
   * disposed of, and the request with it, V8 takes for alive until its next full collection (bench/README.md).
   */
  readonly disposables: AsyncDisposableStack;
  /** What has to be given back then, at once. */
  readonly turns: DisposableStack;
  /** Absent before it is its turn. */
  body?: Body;
  /** The files that a multipart request brings; they are not read before the operation runs. */
  upload?: PendingUpload;
}

export type YogaPlugin = Plugin<ServerContext, ServerContext>;
