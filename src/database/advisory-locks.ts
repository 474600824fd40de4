/**
 * The advisory locks of transactions in the service's database: numbers that nobody else locks there, and no two of them
 * the same, or a start would wait for another's pruning. 4207112025 is that of `drop_audit_partition` (migration 006).
 */
export const advisoryLocks = {
  migration: 4_207_112_024,
  /** A lock of the table of orgs would need the right to change it. */
  bootstrap: 4_207_112_026,
} as const;
