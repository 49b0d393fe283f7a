#!/bin/sh
# Would wait for ever; the abort of the other machine stops it.
ss-display "Working"
sleep 86400
