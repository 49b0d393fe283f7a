#!/bin/sh
# Waits for the server, asks for its page, and checks the answer.
set -e

hostname=$(ss-get webserver.hostname)
port=$(ss-get webserver.port)
ss-display "Waiting for $hostname:$port"
ss-get --timeout 360 webserver.ready

curl --silent --show-error --fail --output page.html "http://$hostname:$port/"
grep "Hello from the web server" page.html

ss-display "OK: $(cat page.html)"
