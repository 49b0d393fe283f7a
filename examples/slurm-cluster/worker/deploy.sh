#!/bin/bash
# Takes the key, and serves the controller under the name that this one knows it by.
set -e

# Debian's services under systemd, the bare programs elsewhere.
start() {
  if [ -d /run/systemd/system ]; then systemctl restart "$1"; else shift; "$@"; fi
}

ss-get --timeout 1200 controller.key | base64 -d > /etc/munge/munge.key
chown munge:munge /etc/munge/munge.key
chmod 400 /etc/munge/munge.key
install -d -o munge -g munge -m 755 /run/munge
start munge runuser -u munge -- munged

ss-display "Waiting for the controller"
ss-get --timeout 1200 controller.ready > /dev/null
install -d /var/lib/slurm/slurmd
name=worker-$(ss-get id)
server=$(ss-get controller.hostname)
# It is told its name: that of the host belongs to the cloud.
echo "SLURMD_OPTIONS='-N $name --conf-server $server'" > /etc/default/slurmd
# Debian's service wants a configuration of its own on this machine, and without one is left out in silence.
install -d /etc/systemd/system/slurmd.service.d
printf '[Unit]\nConditionPathExists=\n' > /etc/systemd/system/slurmd.service.d/configless.conf
[ ! -d /run/systemd/system ] || systemctl daemon-reload
start slurmd slurmd -N "$name" --conf-server "$server"
ss-set ready true
ss-display "Serves as $name"
