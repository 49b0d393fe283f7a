#!/bin/sh
# Paceline: see to the end of this machine, get the rest, check and run it.
umask 077
url='http://127.0.0.1:1'
sha=eb8e6e3b462a2b7da743e0097597f0ab1febf4ef87c9c72832dbe63869ef9083
runtime='Linux x86_64 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
config='"url":"http://127.0.0.1:1","run":"a1b2c3d4-0000-4000-8000-000000000000","instance":"apache.1","secret":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","expires":"2030-01-02T03:04:05.678Z"'
launch=''
socket=
root=${PACELINE_ROOT:-}
home=$root/var/lib/paceline
cache=${PACELINE_AGENT_CACHE:-$home}
systemd=
[ "$root" ] || [ ! -d /run/systemd/system ] || systemd=1
this='readlink -f /var/lib/cloud/instance'
unit() { cat >/etc/systemd/system/paceline-$1; }
on() { systemctl daemon-reload && systemctl -q --no-block enable --now paceline-$1; }
arm() {
  mkdir -p $home && cat >$home/mine <<E && unit end.service <<E && unit end.timer <<E && on end.timer
[ "\$($this)" = "$($this)" ] || exit 3
exec "\$@"
E
[Unit]
After=cloud-init-local.service
[Service]
ExecStart=/bin/sh $home/mine systemctl poweroff
E
[Timer]
OnCalendar=2030-01-02 03:04:05 UTC
AccuracySec=1s
Persistent=true
[Install]
WantedBy=timers.target
E
}
later() { setsid sh -c "sleep $1; poweroff" </dev/null >/dev/null 2>&1 & }
if [ ! "$root" ]; then
  [ $systemd ] && arm || later $((1893553446 - $(date +%s)))
  trap '[ $? = 0 ] || later 5' EXIT
fi
set -eu
fail() { echo "paceline: $*" >&2; exit 1; }
sum() { { sha256sum "$1" 2>/dev/null || shasum -a 256 "$1"; } | { read -r s f; echo "$s"; }; }
has() { command -v "$1" >/dev/null; }
download() {
  if has curl; then said=$(curl -fsS --connect-timeout 10 -y 30 -Y 1 -w ' %{http_code} ' -o "$2" "$1")
  elif has wget; then said=$(wget -qSt 1 -T 30 -O "$2" "$1" 2>&1)
  else said=$("${PACELINE_NODE:-node}" -e '[,u,f]=process.argv;fetch(u).then(async r=>{fs.writeFileSync(f,Buffer.from(await r.arrayBuffer()));console.log("",r.status,"");process.exit(+!r.ok)})' "$1" "$2"); fi
}
get() {
  [ ! -f "$2" ] || [ "$(sum "$2")" != $1 ] || return 0
  from=$url/agent/files/$1 new=$2.$$
  end=$(($(date +%s) + 200))
  until download $from "$new"; do
    case $said in *' 40'[0-79]' '* | *' 41'?' '*) end=0 ;; esac
    [ $(date +%s) -lt $end ] || fail "cannot fetch $from: $said"
    sleep 1
  done
  got=$(sum "$new")
  [ "$got" = $1 ] || { rm -f "$new"; fail "$from has SHA-256 $got, expected $1"; }
  chmod 700 "$new"
  mv "$new" "$2"
}
mkdir -p "$home" "$cache"
setup=$cache/setup-SETUP
get SETUP "$setup"
. "$setup"
