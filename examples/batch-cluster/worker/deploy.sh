#!/bin/sh
# Works on jobs until the controller has none left. A job is to square its number.
set -e

me=$(ss-get hostname)
ss-get --timeout 600 controller.ready > /dev/null
queue="http://$(ss-get controller.hostname):$(ss-get controller.port)"
key=$(ss-get controller.key)

count=0
touch jobs
while job=$(curl --silent --show-error --fail -H "x-key: $key" -H "x-worker: $me" "$queue/") && [ -n "$job" ]; do
  curl --silent --show-error --fail -H "x-key: $key" -H "x-worker: $me" -X PUT --data "$((job * job))" "$queue/$job"
  echo "$job" >> jobs
  count=$((count + 1))
done

ss-display "Did $count jobs"
ss-set done true
