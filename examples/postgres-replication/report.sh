#!/bin/sh
# What the server has logged goes home with the report. There is nothing when the run has ended before the server was made.
for log in /var/log/postgresql/*.log; do
  [ ! -f "$log" ] || cp "$log" "$SLIPSTREAM_REPORT_DIR"
done
