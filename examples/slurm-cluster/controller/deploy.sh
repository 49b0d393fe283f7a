#!/bin/bash
# Makes the key, writes down who the workers are, waits for them, and runs a job on all at once.
set -e

# Debian's services under systemd, the bare programs elsewhere.
start() {
  if [ -d /run/systemd/system ]; then systemctl restart "$1"; else shift; "$@"; fi
}

ss-set --secret key "$(head -c 1024 /dev/urandom | base64 -w 0)"
ss-get key | base64 -d > /etc/munge/munge.key
chown munge:munge /etc/munge/munge.key
chmod 400 /etc/munge/munge.key
install -d -o munge -g munge -m 755 /run/munge
start munge runuser -u munge -- munged

ids=$(ss-get worker:ids)
install -d -o slurm -g slurm /var/lib/slurm/slurmctld
{
  cat << CONF
ClusterName=paceline
SlurmctldHost=$(hostname -s)($(ss-get hostname))
SlurmctldParameters=enable_configless
SlurmUser=slurm
StateSaveLocation=/var/lib/slurm/slurmctld
SlurmdSpoolDir=/var/lib/slurm/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
MpiDefault=none
ReturnToService=2
CONF
  for id in ${ids//,/ }; do
    echo "NodeName=worker-$id NodeAddr=$(ss-get "worker.$id:hostname") CPUs=1"
  done
  echo "PartitionName=all Nodes=ALL Default=YES State=UP"
} > /etc/slurm/slurm.conf
# Without systemd nobody has mounted control groups, and the plugin for the second version would not do without.
[ -d /run/systemd/system ] || echo CgroupPlugin=cgroup/v1 > /etc/slurm/cgroup.conf
start slurmctld slurmctld
deadline=$(($(date +%s) + 60))
until scontrol ping | grep -q UP; do
  [ "$(date +%s)" -lt $deadline ] || { echo "slurmctld does not come up" >&2; exit 1; }
  sleep 0.5
done
ss-set ready true

ss-display "Waiting for the workers $ids"
count=0
for id in ${ids//,/ }; do
  ss-get --timeout 1200 "worker.$id:ready" > /dev/null
  count=$((count + 1))
done
deadline=$(($(date +%s) + 120))
until [ "$(sinfo --noheader --states idle --format %D | head -n 1)" = $count ]; do
  [ "$(date +%s)" -lt $deadline ] || { sinfo --Node --long >&2; exit 1; }
  sleep 0.5
done

ss-display "Running a job on $count workers"
srun --nodes=$count --ntasks=$count sh -c 'echo "$SLURMD_NODENAME"' > job
test "$(sort -u job | wc -l)" -eq $count
ss-set ss:result "$(sort -V job | paste -sd ' ')"
ss-display "A job ran on $count workers"
