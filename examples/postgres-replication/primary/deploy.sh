#!/bin/bash
# Makes a server that the machines of this run may use, each for what it is there for.
set -e

ss-random --size 32 replication-password > /dev/null
ss-random --size 32 application-password > /dev/null
version=$(ls /usr/lib/postgresql | sort -V | tail -n 1)
config=/etc/postgresql/$version/main

ss-display "Making the server"
pg_dropcluster --stop "$version" main 2> /dev/null || true
pg_createcluster "$version" main --port 5432 > /dev/null
cat > "$config/conf.d/replication.conf" << CONF
listen_addresses = '*'
max_wal_senders = 50
max_replication_slots = 50
CONF
ids=$(ss-get standby:ids)
for id in ${ids//,/ }; do
  address=$(ss-get "standby.$id:hostname")
  echo "host replication standby $address/32 scram-sha-256"
  echo "host shop shop $address/32 scram-sha-256"
done >> "$config/pg_hba.conf"
echo "host shop shop $(ss-get client.1:hostname)/32 scram-sha-256" >> "$config/pg_hba.conf"
pg_ctlcluster "$version" main start

runuser -u postgres -- psql --quiet --set ON_ERROR_STOP=1 << SQL
CREATE ROLE standby LOGIN REPLICATION PASSWORD '$(ss-get replication-password)';
CREATE ROLE shop LOGIN PASSWORD '$(ss-get application-password)';
CREATE DATABASE shop OWNER shop;
SQL
ss-set ready true
ss-display "Serves $ids"
