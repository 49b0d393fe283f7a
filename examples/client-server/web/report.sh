#!/bin/sh
# What the server was asked goes home with the report.
cp access.log "$SLIPSTREAM_REPORT_DIR/access.log"
