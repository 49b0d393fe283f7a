#!/bin/sh
# How the cluster was made, what it thinks of its workers, and the job's output.
sinfo --Node --long > sinfo || true
touch job
cp /etc/slurm/slurm.conf sinfo job "$SLIPSTREAM_REPORT_DIR"
