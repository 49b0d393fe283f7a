#!/bin/sh
# A Debian 12 with systemd, real cloud-init and Node.js as a disk, with its kernel and a small initial RAM disk, from the Debian mirror of
# this host. What costs time without hardware virtualisation is left out. Needs root, as mmdebstrap and file owners do; no loop devices.
#
#   qemu-image.sh FOLDER NODE
set -eu
folder=$1 node=$2

tree=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$tree"' EXIT
mkdir "$tree/image" "$tree/initrd"

mmdebstrap --mode=root --variant=minbase --quiet \
  --aptopt='Acquire::Languages "none"' \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-include=/usr/share/locale/locale.alias' \
  --include=systemd,systemd-sysv,udev,dbus,kmod,iproute2,iputils-ping,netbase,procps,ca-certificates,curl,openssh-server,sudo,cloud-init \
  --include=libstdc++6,busybox-static,linux-image-cloud-amd64 \
  bookworm "$tree/rootfs"

root=$tree/rootfs
install -m 755 "$node" "$root/usr/local/bin/node"
cp "$root"/boot/vmlinuz-* "$tree/image/vmlinuz"
rm -rf "$root"/boot/* "$root"/initrd.img* "$root"/vmlinuz*

# The kernel can read the disk by itself once it has these modules.
kernel=$(ls "$root/lib/modules")
mkdir "$tree/initrd/bin" "$tree/initrd/dev" "$tree/initrd/proc" "$tree/initrd/root" "$tree/initrd/modules"
cp "$root/bin/busybox" "$tree/initrd/bin/busybox"
number=10
for module in virtio_pci virtio_blk; do
  for path in $(chroot "$root" modprobe --set-version "$kernel" --show-depends "$module" | sed -n 's/^insmod //p'); do
    cp "$root$path" "$tree/initrd/modules/$number-${path##*/}"
    number=$((number + 1))
  done
done
cat >"$tree/initrd/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
for module in /modules/*; do /bin/busybox insmod "$module" 2>/dev/null; done
tries=0
until [ -b /dev/vda ] || [ $tries -gt 500 ]; do
  /bin/busybox usleep 20000
  tries=$((tries + 1))
done
/bin/busybox mount -t ext4 -o rw,noatime /dev/vda /root || exit 1
/bin/busybox umount /proc
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
INIT
chmod 755 "$tree/initrd/init"
(cd "$tree/initrd" && find . | cpio --quiet --create --format=newc) >"$tree/image/initrd.img"

cat >"$root/etc/cloud/cloud.cfg" <<'CONFIG'
datasource_list: [NoCloud]
disable_root: false
ssh_genkeytypes: [ed25519]
preserve_hostname: false
manage_etc_hosts: true
cloud_init_modules: [seed_random, bootcmd, write-files, set_hostname, update_etc_hosts, users-groups, ssh]
cloud_config_modules: [set-passwords, runcmd]
cloud_final_modules: [scripts-vendor, scripts-per-once, scripts-per-boot, scripts-per-instance, scripts-user, final-message, power-state-change]
output: { all: '| tee -a /var/log/cloud-init-output.log' }
system_info:
  distro: debian
  default_user: { name: debian, lock_passwd: true, groups: [sudo], sudo: ['ALL=(ALL) NOPASSWD:ALL'], shell: /bin/bash }
  network: { renderers: [networkd] }
  paths: { cloud_dir: /var/lib/cloud/, templates_dir: /etc/cloud/templates/ }
  ssh_svcname: ssh
CONFIG
echo 'policy: search,found=all,maybe=all,notfound=enabled' >"$root/etc/cloud/ds-identify.cfg"
echo 'datasource: NoCloud' >>"$root/etc/cloud/ds-identify.cfg"

chroot "$root" systemctl --quiet enable systemd-networkd
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  systemd-networkd-wait-online.service systemd-binfmt.service systemd-pstore.service systemd-update-utmp.service \
  systemd-update-utmp-runlevel.service systemd-sysusers.service systemd-tmpfiles-clean.timer systemd-rfkill.socket \
  systemd-journal-flush.service systemd-machine-id-commit.service systemd-hwdb-update.service ldconfig.service motd.timer \
  modprobe@.service systemd-modules-load.service kmod-static-nodes.service dev-hugepages.mount dev-mqueue.mount \
  sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount sys-fs-fuse-connections.mount \
  proc-sys-fs-binfmt_misc.automount getty@.service serial-getty@.service getty.target cloud-init-hotplugd.socket \
  systemd-logind.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
mkdir -p "$root/etc/systemd/journald.conf.d" "$root/etc/systemd/system/systemd-udev-trigger.service.d"
printf '[Journal]\nStorage=volatile\nRateLimitBurst=0\n' >"$root/etc/systemd/journald.conf.d/volatile.conf"
cat >"$root/etc/systemd/system/systemd-udev-trigger.service.d/few.conf" <<'TRIGGER'
[Service]
ExecStart=
ExecStart=-/bin/udevadm trigger --type=devices --action=add --subsystem-match=net --subsystem-match=block --subsystem-match=virtio --subsystem-match=pci
TRIGGER

echo localhost >"$root/etc/hostname"
: >"$root/etc/machine-id"
: >"$root/etc/fstab"
rm -f "$root"/etc/ssh/ssh_host_* "$root/var/lib/dbus/machine-id" "$root/etc/resolv.conf"
# QEMU's own, of its user networks.
echo 'nameserver 10.0.2.3' >"$root/etc/resolv.conf"

truncate -s 2G "$tree/disk.raw"
mkfs.ext4 -q -L root -O ^metadata_csum -E lazy_itable_init=1,lazy_journal_init=1 -m 0 -d "$root" "$tree/disk.raw"
qemu-img convert -O qcow2 "$tree/disk.raw" "$tree/image/disk.qcow2"

cat >"$tree/image/image.json" <<'RECORD'
{
  "disk": "disk.qcow2",
  "kernel": "vmlinuz",
  "initrd": "initrd.img",
  "append": "console=ttyS0 root=/dev/vda rw quiet mitigations=off net.ifnames=0",
  "login": "root"
}
RECORD
rm -rf "$folder"
mv "$tree/image" "$folder"
