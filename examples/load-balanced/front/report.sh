#!/bin/sh
# What the front was told, and what it said.
cp front.log servers "$SLIPSTREAM_REPORT_DIR"
[ ! -f changes ] || cp changes "$SLIPSTREAM_REPORT_DIR"
