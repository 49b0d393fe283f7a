#!/bin/sh
# Starts the web server and says when it answers.
set -e

address=$(ss-get hostname)
port=$(ss-get port)

ss-display "Starting the web server"
mkdir -p site
echo "Hello from the web server of run $SLIPSTREAM_DIID" > site/index.html
nohup python3 -m http.server --bind "$address" --directory site "$port" > access.log 2>&1 &

until curl --silent --fail --output /dev/null "http://$address:$port/"; do
  kill -0 $! || { tail -n 1 access.log >&2; exit 1; }
done

ss-set ready true
ss-set ss:url.service "http://$address:$port/"
ss-display "Serving on $address:$port"
