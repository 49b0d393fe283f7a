#!/bin/sh
# Who did which job.
cp nodes results "$SLIPSTREAM_REPORT_DIR"
