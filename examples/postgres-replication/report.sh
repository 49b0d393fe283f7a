#!/bin/sh
# What the server has logged goes home with the report.
cp /var/log/postgresql/*.log "$SLIPSTREAM_REPORT_DIR"
