#!/bin/bash
# Copies the primary and follows it from there on.
set -e

version=$(ls /usr/lib/postgresql | sort -V | tail -n 1)
config=/etc/postgresql/$version/main
data=/var/lib/postgresql/$version/main
pg_dropcluster --stop "$version" main 2> /dev/null || true
pg_createcluster "$version" main --port 5432 > /dev/null
# No less than on the primary, whose changes it has to be able to repeat.
cat > "$config/conf.d/replication.conf" << CONF
listen_addresses = '*'
max_wal_senders = 50
max_replication_slots = 50
CONF
echo "host shop shop $(ss-get client.1:hostname)/32 scram-sha-256" >> "$config/pg_hba.conf"

ss-display "Waiting for the primary"
ss-get --timeout 600 primary.ready > /dev/null
primary=$(ss-get primary.hostname)
PGPASSWORD=$(ss-get primary.password)
export PGPASSWORD
rm -rf "$data"
runuser -u postgres -- pg_basebackup --host "$primary" --username standby --pgdata "$data" --wal-method stream \
  --checkpoint fast --write-recovery-conf --create-slot --slot "standby_$(ss-get id)"
pg_ctlcluster "$version" main start

test "$(runuser -u postgres -- psql -At -c 'SELECT pg_is_in_recovery()')" = t
ss-set ready true
ss-display "Follows $primary"
