#!/bin/sh
# The page that was received is the result of this test.
cp page.html "$SLIPSTREAM_REPORT_DIR/page.html"
