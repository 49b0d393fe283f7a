/**
 * Takes a new process from the host's world into the machine's: \`sh enter.sh LAYERS OPTIONS NAME NODE\`, in the machine's directory and
 * already in its namespaces. Its standard input is where the outcome of the boot is told.
 */
export const enterProgram = String.raw`#!/bin/sh
set -eu
exec 3>&0 </dev/null
ulimit -Sn 1024
layers=$1 options=$2 name=$3 node=$4
programs=$(dirname "$0")

mount -t overlay overlay -o "lowerdir=$layers,upperdir=upper,workdir=work$options" root
mount -t proc proc root/proc
hostname "$name" 2>/dev/null || echo "$name" >root/proc/sys/kernel/hostname
# What is not of this machine alone cannot be changed in it.
mount --bind root/proc/sys root/proc/sys
mount -o remount,bind,ro root/proc/sys
mount --bind /proc/sys/net root/proc/sys/net
mount --bind /dev/null root/proc/sysrq-trigger 2>/dev/null || true
mount -t sysfs -o ro sysfs root/sys 2>/dev/null || true
mount -t tmpfs -o mode=755,nosuid tmpfs root/run
mount -t tmpfs -o mode=755,nosuid,size=64k tmpfs root/dev
for device in null zero full random urandom tty; do
  : >root/dev/$device
  mount --bind /dev/$device root/dev/$device
done
mkdir root/dev/pts root/dev/shm root/run/lock root/run/paceline root/run/paceline/bin
mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts root/dev/pts
mount -t tmpfs -o mode=1777,nosuid tmpfs root/dev/shm
ln -s pts/ptmx root/dev/ptmx
ln -s /proc/self/fd root/dev/fd
ln -s fd/0 root/dev/stdin
ln -s fd/1 root/dev/stdout
ln -s fd/2 root/dev/stderr
ln -s /proc/1/fd/1 root/dev/console

cp "$programs/init.sh" root/run/paceline
for command in shutdown poweroff halt reboot; do
  cp "$programs/shutdown.sh" root/run/paceline/bin/$command
done
: >root/run/paceline/node
mount --bind "$node" root/run/paceline/node
mount -o remount,bind,ro root/run/paceline/node 2>/dev/null || true

cd root
pivot_root . .
umount -l .
exec /bin/sh /run/paceline/init.sh
`;

/** Process 1 of a machine: says that the machine is there, and buries orphans until it is switched off. */
export const initProgram = String.raw`#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
trap 'exit 0' TERM
echo ready >&3
exec 3>&-
while :; do
  sleep 2147483647 &
  wait $!
done
`;

/** \`shutdown\`, \`poweroff\`, \`halt\` and \`reboot\` of a machine that has no systemd. There is no second boot: all of them end it. */
export const shutdownProgram = String.raw`#!/bin/sh
minutes=0
for argument; do
  case $argument in
    +*) minutes=$((argument)) ;;
    -c) echo 'A shutdown cannot be taken back on this machine.' >&2; exit 1 ;;
  esac
done
if [ "$minutes" -gt 0 ]; then
  (sleep $((minutes * 60)); kill -TERM 1) </dev/null >/dev/null 2>&1 &
else
  kill -TERM 1
fi
`;
