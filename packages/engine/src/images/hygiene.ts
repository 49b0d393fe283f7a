import type { Script } from '@paceline/model';

/**
 * Runs last on a machine that an image is made of. Two machines from one image must differ in what is theirs alone. On machines
 * that share a host's own files (`PACELINE_MACHINE` is set there) nothing is touched: their connectors see to it.
 */
export const hygiene: Script = {
  path: 'paceline/hygiene.sh',
  text: String.raw`#!/bin/sh
# Takes out of this machine what belongs to it alone, before an image is made of it.
set -eu
if [ -n "${'$'}{PACELINE_MACHINE:-}" ] || [ "$(id -u)" != 0 ]; then exit 0; fi
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
rm -f /root/.bash_history /home/*/.bash_history /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys
: >/etc/machine-id
rm -f /var/lib/dbus/machine-id /var/lib/systemd/random-seed
rm -rf /var/lib/cloud/data /var/lib/cloud/sem
# Which instance this is, and no more: by that the machine still powers off at its end, and starts its agent again.
[ ! -d /var/lib/cloud/instances ] || find /var/lib/cloud/instances -mindepth 2 -delete
rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/cache/dnf /var/cache/yum
rm -rf /var/lib/dhcp/*.leases /var/lib/NetworkManager/*.lease
find /var/log -type f ! -path '/var/log/slipstream/*' -exec truncate -s 0 {} +
rm -rf /var/lib/slipstream/*
sync
`,
};
