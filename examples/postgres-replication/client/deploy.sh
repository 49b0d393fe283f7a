#!/bin/bash
# Writes to the primary, waits until each standby is as far, and compares.
set -e

# The primary makes it once it has installed what it needs.
PGPASSWORD=$(ss-get --timeout 600 primary.password)
export PGPASSWORD PGUSER=shop PGDATABASE=shop PGCONNECT_TIMEOUT=10
ask() { psql --host "$1" --no-psqlrc --quiet --set ON_ERROR_STOP=1 -At -c "$2"; }
primary=$(ss-get primary.hostname)
rows=$(ss-get rows)
ids=$(ss-get standby:ids)
for id in ${ids//,/ }; do
  ss-get --timeout 600 "standby.$id:ready" > /dev/null
done

ss-display "Writing $rows rows"
ask "$primary" "CREATE TABLE orders (id integer PRIMARY KEY, item text NOT NULL)"
ask "$primary" "INSERT INTO orders SELECT n, md5(random()::text) FROM generate_series(1, $rows) AS n"
written=$(ask "$primary" "SELECT pg_current_wal_lsn()")
all="SELECT count(*), md5(string_agg(id || item, ',' ORDER BY id)) FROM orders"
expected=$(ask "$primary" "$all")
test "${expected%%|*}" -eq "$rows"

count=0
for id in ${ids//,/ }; do
  standby=$(ss-get "standby.$id:hostname")
  deadline=$(($(date +%s) + 60))
  until [ "$(ask "$standby" "SELECT pg_last_wal_replay_lsn() >= '$written'")" = t ]; do
    [ "$(date +%s)" -lt $deadline ] || { echo "standby.$id does not follow" >&2; exit 1; }
    sleep 0.2
  done
  found=$(ask "$standby" "$all")
  [ "$found" = "$expected" ] || { echo "standby.$id has $found instead of $expected" >&2; exit 1; }
  if ask "$standby" "DELETE FROM orders" 2> /dev/null; then
    echo "standby.$id can be written to" >&2
    exit 1
  fi
  count=$((count + 1))
done
ss-set ss:result "$rows rows are on $count standbys"
ss-display "$rows rows are on $count standbys"
