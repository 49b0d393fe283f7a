#!/bin/bash
# Makes the key, learns who the workers are, opens the queue and waits until all jobs are done.
set -e

ss-random --size 32 key > /dev/null
ids=$(ss-get worker:ids)

ss-display "Admitting workers $ids"
for id in ${ids//,/ }; do
  ss-get "worker.$id:hostname"
done > nodes

address=$(ss-get hostname)
port=$(ss-get port)
jobs=$(ss-get jobs)
CLUSTER_KEY=$(ss-get key) nohup python3 queue.py "$address" "$port" "$jobs" > queue.log 2>&1 &
queue=$!
until curl --silent --output /dev/null "http://$address:$port/"; do
  kill -0 $queue
done
ss-set ready true

# The last worker that is done has made the last result.
for id in ${ids//,/ }; do
  ss-get --timeout 0 "worker.$id:done" > /dev/null
done
kill $queue

test "$(wc -l < results)" -eq "$jobs"
total=$(awk '{ sum += $3 } END { print sum }' results)
test "$total" -eq $((jobs * (jobs + 1) * (2 * jobs + 1) / 6))
ss-set ss:result "$total"
ss-display "The sum of $jobs squares is $total"
