# Debian's own, from 1.21 on, which keeps prepared statements in transaction mode.
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends pgbouncer && rm -rf /var/lib/apt/lists/*
COPY pgbouncer.ini userlist.txt /etc/pgbouncer/
CMD ["pgbouncer", "/etc/pgbouncer/pgbouncer.ini"]
