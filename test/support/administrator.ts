import pg from 'pg';
import { inject } from 'vitest';

/** Sends statements to the test run's PostgreSQL as its superuser, one after the other on one session. */
export async function asAdministrator(database: string, ...statements: string[]): Promise<void> {
  const { pathname } = new URL(database);
  const client = new pg.Client(`${inject('postgres')}${pathname}`);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The database's name, to be put into a statement. */
export const nameOf = (database: string): string => new URL(database).pathname.slice(1);
