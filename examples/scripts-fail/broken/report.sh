#!/bin/sh
# Reports are sent after failures too: that is when they matter.
echo "what was there: $(ls)" > "$SLIPSTREAM_REPORT_DIR/evidence.txt"
