#!/bin/sh
# This machine is about to go: the front hears no from now on and asks another server.
set -e

ss-display "Draining"
touch draining
curl --silent --show-error --fail --max-time 60 "http://$(ss-get hostname):$(ss-get port)/-/idle"
