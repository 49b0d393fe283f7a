/**
 * What runs on a host, for root or an ordinary user: leases, their machines, and their end. `program.sh` needs a POSIX shell, /proc,
 * coreutils and flock; with layers also unshare and overlay file systems.
 *
 * A lease is a directory `leases/ID` that appears whole and under a lock, so that of several engines one has it. Its keeper, a
 * process of its own session, starts the machine and ends it at its end of life, whoever is still there. A machine with a layer has a
 * namespace of processes. Those of one without cannot leave its control group, which only root can make, nor the tree below the keeper,
 * which takes in orphans; a mark in their environment shows also those that came by `enter`.
 */
export const hostProgram = String.raw`
set -u
umask 077
trap '' HUP PIPE
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
fail() { echo "$*" >&2; exit 1; }

# Locks the leases. The last lease takes the file of the lock away with it, so what is locked may be gone by then.
lock() {
  if ! mkdir -p "$base/leases" 2>/dev/null || [ ! -O "$base" ]; then fail "$base cannot be made, or is somebody else's"; fi
  while :; do
    exec 9>>"$base/lock"
    flock -w 60 9 || fail "another engine has held the lock of $base for a minute"
    [ "$(stat -c %i "$base/lock" 2>/dev/null)" = "$(stat -Lc %i /proc/self/fd/9)" ] && [ -d "$base/leases" ] && return
    mkdir -p "$base/leases"
  done
}

unlock() {
  rmdir "$base/leases" 2>/dev/null && rm -f "$base/lock" && rmdir "$base"
  exec 9>&-
}

boot() { cat /proc/sys/kernel/random/boot_id; }
# When a process began; nothing of one that has ended and was not buried yet.
began() { sed -n 's/.*) \([^ZX] .*\)/\1/p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
note() { echo "$2 $(began "$2")" >"$1"; }

# Whether the process that a file names is the one that was noted, and not another that has got its number.
lives() {
  { read -r pid since <"$1"; } 2>/dev/null || return 1
  [ -n "$since" ] && [ "$(began "$pid")" = "$since" ]
}

# The processes that a lease is in the environment of.
marked() { grep -lszx "PACELINE_MACHINE=$1" /proc/[0-9]*/environ 2>/dev/null | sed 's|^/proc/||; s|/environ$||'; }

# The control group of a lease, or nothing where there are none: of version 2 if that is mounted, else of the freezer of version 1.
group() {
  mounts=/proc/self/mounts
  top=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/\1/p' $mounts | tail -n 1)
  [ -n "$top" ] || top=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup [^ ]*freezer.*/\1/p' $mounts | tail -n 1)
  [ -z "$top" ] || echo "$top/paceline/$1"
}

grouped() {
  group=$(group "$1")
  [ -z "$group" ] || find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null
}

join() {
  group=$(group "$1")
  [ -z "$group" ] || { echo $$ >"$group/cgroup.procs"; } 2>/dev/null
}

# The descendants of a process that are not of its session.
below() {
  for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
    case $(sed 's/.*) //' "/proc/$child/stat" 2>/dev/null | cut -d' ' -f4) in '' | "$2") ;; *) echo "$child" ;; esac
    below "$child" "$2"
  done
}

# The processes of a machine, ours excepted: those are of the keeper's session, or not below it.
members() {
  {
    marked "$1"
    grouped "$1"
    if lives "$base/leases/$1/keeper"; then below "$pid" "$pid"; fi
  } | sort -un | while read -r member; do
    # A group shows a process of another namespace as 0.
    [ "$member" = 0 ] || ! grep -qs '^State:.[^ZX]' "/proc/$member/status" || echo "$member"
  done
}

state() {
  lease=$base/leases/$1
  if [ -e "$lease/ended" ]; then echo stopping
  elif [ "$(cat "$lease/boot" 2>/dev/null)" != "$(boot)" ]; then echo restarted
  elif [ ! -e "$lease/started" ]; then if lives "$lease/keeper"; then echo pending; else echo lost; fi
  elif lives "$lease/inner" || [ -n "$(members "$1")" ]; then echo running
  else echo stopped
  fi
}

# What is mounted below a directory of a lease, as the kernel writes it: white space and backslashes are octal numbers of bytes.
mounted() {
  below=$(cd "$1" && pwd -P | sed 's/\\/\\134/g; s/ /\\040/g') || return 0
  grep -F "/\${1##*/}/" /proc/self/mountinfo | while read -r _ _ _ _ target _; do
    case $target in "$below"/*) printf '%s\n' "$target" ;; esac
  done
}

# Unmounts what recipes have mounted in their lease, the last first: it is not ours to delete.
unmount() {
  mounted "$1" | tac | while read -r target; do
    target=$(printf "$(printf %s "$target" | sed 's/%/%%/g')")
    umount "$target" || umount -l "$target"
  done 2>/dev/null
  [ -z "$(mounted "$1")" ]
}

ungroup() {
  group=$(group "$1")
  [ -z "$group" ] || { find "$group" -depth -type d -exec rmdir {} + ; rmdir "\${group%/*}"; } 2>/dev/null
}

# Ends a machine and removes all that was made for it.
release() {
  lease=$base/leases/$1
  [ -d "$lease" ] || return 0
  : >"$lease/ended"
  # It begins nothing more, but what it began stays below it until that is gone.
  if lives "$lease/keeper" && [ "$pid" != $$ ]; then kill -STOP "-$pid"; fi
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if lives "$lease/inner"; then kill -KILL "$pid"; fi
    left=$(members "$1")
    [ -z "$left" ] || kill -KILL $left 2>/dev/null
    if ! lives "$lease/inner" && [ -z "$left" ]; then break; fi
    sleep 0.1
  done
  left=$(members "$1" | tr '\n' ' ')
  if [ -n "$left" ]; then
    if lives "$lease/keeper"; then kill -CONT "-$pid"; fi
    fail "processes of $lease cannot be ended: $left"
  fi
  if lives "$lease/keeper" && [ "$pid" != $$ ]; then kill -KILL "-$pid"; fi
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    ungroup "$1"
    unmount "$lease" && rm -rf --one-file-system "$lease" 2>/dev/null && return
    sleep 0.1
  done
  left=$(mounted "$lease")
  fail "$lease cannot be removed\${left:+: unmount $left}"
}

# take ID SLOTS EXPIRES RECORD MODE NODE: says taken, or full. The user data and this program come as variables.
take() {
  lock
  now=$(date +%s)
  count=0
  for lease in "$base"/leases/*/; do
    id=$(basename "$lease")
    [ -d "$lease" ] || continue
    [ "$id" = "$1" ] && { echo taken; unlock; return; }
    # What cannot be ended takes its slot, and no more: there are other hosts.
    if [ "$(cat "$lease/expires")" -le "$now" ] || [ "$(cat "$lease/boot")" != "$(boot)" ]; then (release "$id") && continue; fi
    count=$((count + 1))
  done
  [ $count -lt "$2" ] || { echo full; unlock; return; }
  new=$base/new.$$
  rm -rf "$new"
  mkdir "$new" "$new/tunnel"
  boot >"$new/boot"
  echo "$3" >"$new/expires"
  printf '%s' "$4" >"$new/record"
  printf '%s' "$user_data" | base64 -d >"$new/user-data"
  printf '%s\n' "$program" >"$new/program.sh"
  if ! mv "$new" "$base/leases/$1"; then rm -rf "$new"; fail "the lease cannot be written"; fi
  setsid sh "$base/leases/$1/program.sh" "$base" adopt "$1" "$5" "$6" </dev/null >"$base/leases/$1/keeper.log" 2>&1 9>&- &
  note "$base/leases/$1/keeper" $!
  echo taken
  unlock
}

# adopt ID MODE NODE: a keeper to which orphans below it come, as to a subreaper. A shell cannot ask the kernel for that (36 is
# PR_SET_CHILD_SUBREAPER), and where neither Perl nor Python can either, it is a keeper without.
adopt() {
  set -- sh "$base/leases/$1/program.sh" "$base" keep "$@"
  [ "$6" = directory ] || exec "$@"
  perl -e 1 2>/dev/null && exec perl -e '
    use POSIX;
    %calls = (x86_64 => 157, aarch64 => 167, riscv64 => 167, ppc64le => 171, s390x => 172);
    $call = $calls{(POSIX::uname())[4]};
    syscall($call, 36, 1, 0, 0, 0) if $call;
    exec @ARGV;' "$@"
  for python in python3 /usr/libexec/platform-python; do
    "$python" -c 'import ctypes' 2>/dev/null && exec "$python" -c '
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
os.execvp(sys.argv[1], sys.argv[1:])' "$@"
  done
  exec "$@"
}

# keep ID MODE NODE: the life of a machine.
keep() {
  lease=$base/leases/$1
  note "$lease/keeper" $$
  expires=$(cat "$lease/expires")
  if [ "$2" = layer ]; then
    unshare --mount --pid --fork --kill-child sh "$lease/program.sh" "$base" inside "$1" "$3" </dev/null >>"$lease/console.log" 2>&1 &
  else
    group=$(group "$1")
    [ -z "$group" ] || mkdir -p "$group" 2>/dev/null
    setsid sh "$lease/program.sh" "$base" alone "$1" "$3" </dev/null >>"$lease/console.log" 2>&1 &
  fi
  note "$lease/inner" $!
  : >"$lease/started"
  while now=$(date +%s); [ "$now" -lt "$expires" ]; do
    # What scripts print goes home; this is for what went wrong before.
    [ "$(wc -c <"$lease/console.log")" -lt 16777216 ] || : >"$lease/console.log"
    left=$((expires - now))
    # The clock of sleep stands still while a host is suspended.
    [ $left -lt 30 ] || left=30
    sleep $left &
    wait $!
  done
  # What cannot be ended now stays below it.
  until (lock && release "$1" && unlock); do
    sleep 30 &
    wait $!
  done
}

# alone ID NODE: the machine is a directory and some processes.
alone() {
  lease=$base/leases/$1
  root=$lease/machine
  mkdir -p "$root/home" "$root/tmp"
  cd "$root/home" || exit 1
  join "$1"
  env -i PATH="$PATH" LANG=C.UTF-8 HOME="$root/home" TMPDIR="$root/tmp" PACELINE_MACHINE="$1" PACELINE_ROOT="$root" \
    PACELINE_SOCKET="$lease/socket" PACELINE_TUNNEL="$lease/tunnel/engine" PACELINE_AGENT_CACHE="$root/cache" PACELINE_PACKAGES=check \${2:+PACELINE_NODE="$2"} \
    sh "$lease/user-data"
}

layer() {
  mkdir -p "$lease/layers/$2/upper" "$lease/layers/$2/work"
  chmod 755 "$lease/layers/$2/upper"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$lease/layers/$2/upper,workdir=$lease/layers/$2/work" "$root$1" ||
    echo "no layer can be put over $1; 'isolation: directory' needs none" >&2
}

# inside ID NODE: the machine is a layer over the host's files, in which every process is its own.
inside() {
  lease=$base/leases/$1
  mount --make-rprivate /
  root=$lease/root
  mkdir -p "$root" "$lease/layers"
  layer / 0
  [ -d "$root/bin" ] || exit 1
  number=0
  # The other file systems on disks: in a layer over the root, what is mounted there is an empty folder.
  findmnt -rnuo TARGET -t ext2,ext3,ext4,xfs,btrfs,zfs,f2fs | while read -r target; do
    case $target in / | "$base"* | /dev* | /run* | /tmp* | /sys* | /proc* | *\\*) continue ;; esac
    [ -d "$target" ] || continue
    number=$((number + 1))
    layer "$target" $number
  done
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --rbind /sys "$root/sys"
  for fresh in run tmp; do mount -t tmpfs -o mode=755 tmpfs "$root/$fresh"; done
  chmod 1777 "$root/tmp"
  mkdir -p -m 1777 "$root/run/lock"
  # Names are looked up as on the host.
  names=$(readlink -f /etc/resolv.conf)
  case $names in /run/*) mkdir -p "$root\${names%/*}"; cp "$names" "$root$names" ;; esac
  mkdir -m 755 "$root/run/paceline"
  mkdir "$root/run/paceline/tunnel"
  mount --bind "$lease/tunnel" "$root/run/paceline/tunnel"
  cp "$lease/user-data" "$root/run/paceline"
  [ ! -d "$root$base" ] || mount -t tmpfs -o mode=700 tmpfs "$root$base"
  cd "$root" || exit 1
  exec env -i PATH="$PATH" LANG=C.UTF-8 HOME=/root PACELINE_LAYER=1 PACELINE_TUNNEL=/run/paceline/tunnel/engine \${2:+PACELINE_NODE="$2"} \
    chroot . /bin/sh -c 'cd /; umask 022; sh /run/paceline/user-data & while :; do sleep 2147483647 & wait $!; done'
}

# enter ID [COMMAND...]: a shell, or a command, in the machine.
enter() {
  lease=$base/leases/$1
  shift
  [ $# -gt 0 ] || set -- /bin/sh
  lives "$lease/inner" || [ -d "$lease/machine" ] || fail "the machine does not run"
  commands=/opt/slipstream/client/bin
  if [ -d "$lease/machine" ]; then
    home=$lease/machine/home
    cd "$home" || exit 1
    # What is begun here ends with the machine.
    join "\${lease##*/}"
    exec env PATH="$lease/machine$commands:$PATH" HOME="$home" TMPDIR="$lease/machine/tmp" PACELINE_MACHINE="$(basename "$lease")" \
      PACELINE_SOCKET="$lease/socket" "$@"
  fi
  read -r first rest <"/proc/$pid/task/$pid/children" || [ -n "$first" ] || fail "the machine does not run"
  exec nsenter --target="$first" --mount --pid --root --wd="/proc/$first/root" \
    env -i PATH="$commands:$PATH" HOME=/root LANG=C.UTF-8 TERM="\${TERM:-dumb}" "$@"
}

# Each lease on a line: ID STATE EXPIRES RECORD, the last as it came.
list() {
  [ -d "$base/leases" ] || return 0
  for lease in "$base"/leases/*/; do
    id=$(basename "$lease")
    record=$(cat "$lease/record" 2>/dev/null) || continue
    echo "$id $(state "$id") $(cat "$lease/expires") $record"
  done
}

drop() {
  [ -d "$base/leases/$1" ] || return 0
  lock
  release "$1"
  unlock
}

# console ID SINCE: the size, then what was written from there on.
console() {
  log=$base/leases/$1/console.log
  [ -d "$base/leases/$1" ] || fail "there is no lease $1"
  wc -c <"$log" 2>/dev/null || echo 0
  tail -c "+$(($2 + 1))" "$log" 2>/dev/null | head -c 1048576 | base64
}

base=$1
shift
"$@"
`.replaceAll('\\${', '${');
