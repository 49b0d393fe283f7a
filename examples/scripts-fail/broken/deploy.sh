#!/bin/sh
# Fails with a message, as real recipes do.
echo "looking for the configuration"
echo "cannot read /etc/no-such-file.conf" >&2
exit 3
