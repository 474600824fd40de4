import pg from 'pg';

/** A pool as large as the service's own, on the database that the bench made. */
export function openPool(): pg.Pool {
  // bigint as a number, as the answers carry it.
  pg.types.setTypeParser(pg.types.builtins.INT8, Number);
  return new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
}

/** Where the bench wants the peer to listen. */
export const port = Number(process.env.PORT);
