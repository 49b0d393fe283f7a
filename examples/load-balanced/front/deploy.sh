#!/bin/sh
# Starts the balancer once the first servers answer.
set -e

address=$(ss-get hostname)
port=$(ss-get port)

for id in $(ss-get web:ids | tr ',' ' '); do
  ss-get --timeout 360 "web.$id:ready" > /dev/null
  echo "$(ss-get "web.$id:hostname"):$(ss-get "web.$id:port")"
done > servers
nohup python3 front.py "$address" "$port" > front.log 2>&1 &

until curl --silent --fail --output /dev/null "http://$address:$port/"; do
  kill -0 $! || { tail -n 1 front.log >&2; exit 1; }
done

ss-set ss:url.service "http://$address:$port/"
ss-display "$(wc -l < servers) servers"
