/** A connection to PostgreSQL: it prepares its statements, and notices when it is of no more use. */
import { Socket } from 'node:net';
import pg from 'pg';
import type { Candidate } from '../database-address/address.ts';
import { bound, type KnownStatements } from './known-statements.ts';
import { sqlState } from './sql-state.ts';

export interface ClientOptions {
  readonly candidate: Candidate;
  /** Milliseconds after which a connection on which nothing is heard is given up; null: never. */
  readonly longestSilenceMs: number | null;
  /** What the pool knows of its statements. */
  readonly statements: KnownStatements;
  /** Told when the server behind the connection is gone, or takes no writes any more. */
  readonly onSpent: (client: GatewayClient) => void;
}

export class GatewayClient extends pg.Client {
  readonly candidate: Candidate;
  /** Whether statements may be prepared by name: not before the session is known to last. */
  prepares = false;
  /** It must not be used again: the pool throws it away when it comes back. */
  isSpent = false;
  readonly #socket: Socket;
  readonly #statements: KnownStatements;
  readonly #onSpent: (client: GatewayClient) => void;
  #offersBinding = false;

  constructor(
    config: pg.ClientConfig,
    { candidate, longestSilenceMs, statements, onSpent }: ClientOptions,
  ) {
    const socket = new Socket();
    if (longestSilenceMs !== null) impatient(socket, longestSilenceMs);
    super({ ...config, ...candidate.client, stream: () => socket });
    this.candidate = candidate;
    this.#socket = socket;
    this.#statements = statements;
    this.#onSpent = onSpent;
    guardParser(this.#connection);
    this.#connection.on('authenticationSASL', ({ mechanisms }) => {
      this.#offersBinding = mechanisms.includes('SCRAM-SHA-256-PLUS');
    });
  }

  /** Whether authentication is bound to the TLS channel, where that was asked for. */
  get isBound(): boolean {
    return this.#offersBinding;
  }

  /** The number of the server's process, as the server said it when the connection was made. */
  get processId(): number | null {
    // pg's types do not know it; Kysely reads it as well.
    return (this as unknown as { readonly processID: number | null }).processID;
  }

  // pg leaves the socket open where the server refuses it: a process that has nothing else to do would not end.
  override connect: pg.Client['connect'] = ((callback?: (error?: Error) => void) => {
    const opened = new Promise<void>((resolve, reject) => {
      super.connect((error: Error | undefined) => {
        if (!error) return resolve();
        this.#socket.destroy();
        reject(error);
      });
    });
    return callback === undefined ? opened : void opened.then(() => callback(), callback);
  }) as pg.Client['connect'];

  // pg's `query` has a dozen overloads; what is no statement, or brings a callback of its own, goes on as it is.
  override query: pg.Client['query'] = ((...asked: unknown[]) => {
    const [text, values, ...rest] = asked;
    if (typeof text !== 'string' || rest.length > 0 || typeof values === 'function') {
      return Reflect.apply(super.query, this, asked);
    }
    const isBound = Array.isArray(values) && values.length > 0;
    const known = isBound ? this.#statements.of(text) : null;
    const query = {
      name: this.prepares ? known?.name : undefined,
      text,
      values: isBound && known !== null ? bound(known, values) : values,
    };
    const sent = new Promise((resolve, reject) => {
      // A callback that a query has from the start: one that is added to it later, as pg does for a promise, has V8
      // keep the rows of each alive until its next full collection (bench/README.md).
      const callback = (error: Error | null, result: unknown) =>
        error ? reject(error) : resolve(result);
      Reflect.apply(super.query, this, [{ ...query, callback }]);
    });
    return sent.catch((error: Error) => {
      this.#note(error);
      // As pg does: the stack leads to who asked, not to the socket.
      Error.captureStackTrace(error);
      throw error;
    });
  }) as pg.Client['query'];

  #note(error: unknown): void {
    if (this.isSpent || !isSpentBy(error)) return;
    this.isSpent = true;
    this.#onSpent(this);
  }

  get #connection(): ClientConnection {
    // Neither do they know this.
    return (this as unknown as { readonly connection: ClientConnection }).connection;
  }
}

interface ClientConnection
  extends NodeJS.EventEmitter<{
    authenticationSASL: [{ readonly mechanisms: string[] }];
  }> {
  /** Begins to parse what comes on a socket, or on the TLS over it. */
  attachListeners(stream: Socket): void;
}

/**
 * What is no PostgreSQL ends the connection: pg's parser throws where nothing can catch it, which would end the
 * process.
 */
function guardParser(connection: ClientConnection): void {
  const attach = connection.attachListeners.bind(connection);
  connection.attachListeners = (stream) => {
    const before = new Set(stream.listeners('data'));
    attach(stream);
    for (const parse of stream.listeners('data').filter((listener) => !before.has(listener))) {
      // Node's own types know no more of a listener; these two are pg's.
      stream.off('data', parse as (chunk: Buffer) => void);
      stream.on('data', (chunk: Buffer) => {
        try {
          parse(chunk);
        } catch (error) {
          const words = error instanceof Error ? error.message : String(error);
          stream.destroy(
            Object.assign(new Error(`what answers is no PostgreSQL server: ${words}`), {
              code: '08P01',
            }),
          );
        }
      });
    }
  };
}

/** The server is a standby now (25006), is shutting down (57P), or is not there (08, or the socket says so). */
const isSpentBy = (error: unknown): boolean =>
  /^(25006|57P0[1-5]|08...|E[A-Z]+)$/.test(sqlState(error) ?? '');

/**
 * Gives up on a database that stands still. By the socket and not by pg's `query_timeout`, whose closures keep the rows
 * of every statement alive until the next full collection (bench/README.md).
 */
function impatient(socket: Socket, longestSilenceMs: number): void {
  socket.setTimeout(longestSilenceMs, () => {
    const message = `the database was silent for ${longestSilenceMs} ms`;
    socket.destroy(Object.assign(new Error(message), { code: 'ETIMEDOUT' }));
  });
}
