#!/bin/sh
# When the primary of compose.yaml is made: it lets the standby in, and from its next start on commits wait for it.
set -eu
echo 'host replication packs all scram-sha-256' >> "$PGDATA/pg_hba.conf"
echo "synchronous_standby_names = 'standby'" >> "$PGDATA/postgresql.auto.conf"
