#!/bin/sh
# Tells the balancer which servers there are now, once those that are new answer.
set -e

for id in $(ss-get web:ids | tr ',' ' '); do
  ss-get --timeout 360 "web.$id:ready" > /dev/null
  echo "$(ss-get "web.$id:hostname"):$(ss-get "web.$id:port")"
done > servers.new
mv servers.new servers

echo "${SLIPSTREAM_SCALING_ACTION:-deploy} ${SLIPSTREAM_SCALING_VMS:-}: $(wc -l < servers) servers" >> changes
ss-display "$(wc -l < servers) servers"
