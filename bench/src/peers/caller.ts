import { createHash } from 'node:crypto';
import type { Pool } from 'pg';

/** Who calls, as every peer knows it. */
export interface Caller {
  readonly keyId: string;
  readonly orgId: string;
  readonly mayWrite: boolean;
}

/** The caller behind an `Authorization` header, by the SHA-256 of its API key: one statement each request. */
export async function authenticate(
  pool: Pool,
  authorization: string | undefined,
): Promise<Caller | null> {
  if (authorization === undefined || !authorization.startsWith('Bearer ')) return null;
  const hash = createHash('sha256').update(authorization.slice(7)).digest();
  const { rows } = await pool.query<{ id: string; org_id: string; permission_set: string }>({
    name: 'authenticate',
    text: `select id, org_id, permission_set from api_keys
           where secret_hash = $1 and revoked_at is null`,
    values: [hash],
  });
  const [key] = rows;
  if (key === undefined) return null;
  return { keyId: key.id, orgId: key.org_id, mayWrite: key.permission_set !== 'READ_ONLY' };
}
