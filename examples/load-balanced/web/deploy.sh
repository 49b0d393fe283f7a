#!/bin/sh
# Starts the web server and says when it answers.
set -e

address=$(ss-get hostname)
port=$(ss-get port)
rm -f draining
nohup python3 web.py "$address" "$port" "$SLIPSTREAM_NODE_INSTANCE_NAME" > web.log 2>&1 &

until curl --silent --fail --output /dev/null "http://$address:$port/"; do
  kill -0 $! || { tail -n 1 web.log >&2; exit 1; }
done

ss-set ready true
ss-display "Serving on $address:$port"
