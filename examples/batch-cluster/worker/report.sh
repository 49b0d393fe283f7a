#!/bin/sh
# The jobs of this worker.
cp jobs "$SLIPSTREAM_REPORT_DIR"
