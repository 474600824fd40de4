#!/bin/sh
# The standby of compose.yaml: a copy of the primary, made at the first start, that streams from it.
set -eu
if [ ! -d "$PGDATA" ]; then
  # Under another name until it is whole.
  rm -rf "$PGDATA.new"
  mkdir -p "$(dirname "$PGDATA")"
  pg_basebackup --pgdata="$PGDATA.new" --write-recovery-conf --checkpoint=fast \
    --dbname="host=postgres user=packs password=packs application_name=standby"
  mv "$PGDATA.new" "$PGDATA"
fi
exec postgres
