import { execFileSync } from 'node:child_process';

/**
 * Packs the little of this host's files that cloud-init and some scripts need into an archive, as an image for those who may not stand on
 * the host's own: commands with the libraries that they load, Python with its modules, and the settings of cloud-init.
 */
export function packSmallImage(archive: string): void {
  execFileSync('sh', ['-c', script, 'sh', archive], { stdio: ['ignore', 'ignore', 'pipe'] });
}

const script = String.raw`
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
archive=$1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

put() {
  for path; do
    [ -e "$path" ] || continue
    folder=$(readlink -f "$(dirname "$path")")
    mkdir -p "$tree$folder"
    cp -aL "$path" "$tree$folder"
  done
}

libraries() {
  ldd "$@" 2>/dev/null | sed -n 's/^[[:space:]]*\(.* => \)\{0,1\}\(\/[^ ]*\) (0x.*/\2/p' | sort -u
}

mkdir -p "$tree/usr/bin" "$tree/usr/sbin" "$tree/usr/lib" "$tree/usr/lib64" "$tree/etc" "$tree/root" "$tree/var/lib" "$tree/var/log" "$tree/tmp"
for folder in bin sbin lib lib64; do
  if [ -L "/$folder" ]; then ln -s "usr/$folder" "$tree/$folder"; else mkdir -p "$tree/$folder"; fi
done
python=$(sed -n '1s/^#! *//p' "$(command -v cloud-init)")
for name in sh bash cat cp cut env hostname id ip ls mkdir mount mv readlink rm sed sleep sync touch tr umount uname grep sort tee true \
  curl setsid ssh-keygen useradd usermod groupadd passwd cloud-init pivot_root; do
  path=$(command -v "$name" || true)
  case $path in /*) put "$path"; libraries "$path" | while read -r library; do put "$library"; done ;; esac
done
put "$python" /etc/cloud /etc/passwd /etc/group /etc/login.defs /etc/debian_version /etc/os-release /usr/lib/cloud-init
version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
for folder in "/usr/lib/$version" /usr/lib/python3; do
  (cd / && tar --exclude=test --exclude=tests --exclude=idlelib --exclude=ensurepip --exclude='config-*' -cf - ".$folder") | tar -C "$tree" -xf -
done
libraries "$python" "/usr/lib/$version"/lib-dynload/*.so | while read -r library; do put "$library"; done
tar -C "$tree" --numeric-owner --owner=0 --group=0 -cf "$archive" .
`;
