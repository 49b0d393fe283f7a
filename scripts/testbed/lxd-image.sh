#!/bin/sh
# A Debian 12 with systemd, real cloud-init and Node.js as an image of LXD or Incus, from the Debian mirror of this host.
#
#   lxd-image.sh ARCHIVE NODE NAMESERVER
set -eu
archive=$1 node=$2 nameserver=$3

tree=$(mktemp -d "$archive.XXXXXX")
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/templates"

mmdebstrap --mode=root --variant=minbase --quiet \
  --aptopt='Acquire::Languages "none"' \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-include=/usr/share/locale/locale.alias' \
  --include=systemd,systemd-sysv,udev,dbus,iproute2,netbase,procps,ca-certificates,curl,openssh-server,sudo,cloud-init,libstdc++6 \
  bookworm "$tree/rootfs"

root=$tree/rootfs
install -m 755 "$node" "$root/usr/local/bin/node"
cat >"$root/etc/cloud/cloud.cfg.d/90-image.cfg" <<'CONFIG'
datasource_list: [NoCloud, None]
ssh_genkeytypes: [ed25519]
system_info:
  network:
    renderers: [networkd]
CONFIG
chroot "$root" systemctl --quiet enable systemd-networkd
# Without the device manager networkd would wait for eth0 for ever, so that stays.
chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer systemd-networkd-wait-online.service systemd-resolved.service
: >"$root/etc/fstab"
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id" "$root/etc/resolv.conf"
echo "nameserver $nameserver" >"$root/etc/resolv.conf"

cat >"$tree/metadata.yaml" <<METADATA
architecture: $(uname -m)
creation_date: $(date +%s)
properties: { os: Debian, release: bookworm, description: Debian 12 with cloud-init }
templates:
  /etc/hostname: { when: [create, copy], template: hostname.tpl }
  /var/lib/cloud/seed/nocloud-net/meta-data: { when: [create, copy], template: meta-data.tpl }
  /var/lib/cloud/seed/nocloud-net/user-data: { when: [create, copy], template: user-data.tpl }
  /var/lib/cloud/seed/nocloud-net/vendor-data: { when: [create, copy], template: vendor-data.tpl }
  /var/lib/cloud/seed/nocloud-net/network-config: { when: [create, copy], template: network-config.tpl }
METADATA
cd "$tree/templates"
echo '{{ container.name }}' >hostname.tpl
cat >meta-data.tpl <<'TEMPLATE'
instance-id: {{ container.name }}
local-hostname: {{ container.name }}
{{ config_get("user.meta-data", "") }}
TEMPLATE
echo '{{ config_get("cloud-init.user-data", config_get("user.user-data", "#cloud-config")) }}' >user-data.tpl
echo '{{ config_get("cloud-init.vendor-data", config_get("user.vendor-data", "#cloud-config")) }}' >vendor-data.tpl
cat >network-config.tpl <<'TEMPLATE'
version: 2
ethernets:
  eth0: { dhcp4: true }
TEMPLATE

tar -C "$tree" --numeric-owner -cf "$archive.part" metadata.yaml templates rootfs
mv "$archive.part" "$archive"
