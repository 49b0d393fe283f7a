/**
 * What a machine runs when it boots, up to the point from which on it runs what it got from its engine. It is one shell script, and not
 * cloud-config or several parts: every cloud-init runs it as it is; it replaces nothing that the image or the cloud configure themselves, as
 * lists of cloud-config would; no mistake in it keeps the whole from being read; and it can be run without cloud-init.
 *
 * Where there is no `PACELINE_ROOT` the machine is its own. Then its end is seen to before anything that may fail, and a machine on which the
 * agent cannot be started says why on its console and powers itself off. What is put into systemd outlives a restart, and does
 * nothing in a machine that was made from an image of this one: `mine` compares what cloud-init says which instance it is.
 *
 * An engine that cannot be reached, or something before it that says so (5xx), is waited for: it may be starting again. That it says no
 * (4xx) is an answer.
 */
export const userDataTemplate = `#!/bin/sh
# Paceline: see to the end of this machine, get the rest, check and run it.
umask 077
url='@URL@'
sha=@SHA@
runtime='@RUNTIME@'
config='@CONFIG@'
launch='@LAUNCH@'
socket=@SOCKET@
root=\${PACELINE_ROOT:-}
home=$root/var/lib/paceline
cache=\${PACELINE_AGENT_CACHE:-$home}
systemd=
[ "$root" ] || [ ! -d /run/systemd/system ] || systemd=1
this='readlink -f /var/lib/cloud/instance'
unit() { cat >/etc/systemd/system/paceline-$1; }
on() { systemctl daemon-reload && systemctl -q --no-block enable --now paceline-$1; }
arm() {
  mkdir -p $home && cat >$home/mine <<E && unit end.service <<E && unit end.timer <<E && on end.timer
[ "\\$($this)" = "$($this)" ] || exit 3
exec "\\$@"
E
[Unit]
After=cloud-init-local.service
[Service]
ExecStart=/bin/sh $home/mine systemctl poweroff
E
[Timer]
OnCalendar=@END@
AccuracySec=1s
Persistent=true
[Install]
WantedBy=timers.target
E
}
later() { setsid sh -c "sleep $1; poweroff" </dev/null >/dev/null 2>&1 & }
if [ ! "$root" ]; then
  [ $systemd ] && arm || later $((@SECONDS@ - $(date +%s)))
  trap '[ $? = 0 ] || later 5' EXIT
fi
set -eu
fail() { echo "paceline: $*" >&2; exit 1; }
sum() { { sha256sum "$1" 2>/dev/null || shasum -a 256 "$1"; } | { read -r s f; echo "$s"; }; }
has() { command -v "$1" >/dev/null; }
@DOWNLOAD@get() {
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
@TUNNEL@mkdir -p "$home" "$cache"
setup=$cache/setup-@SETUP@
get @SETUP@ "$setup"
. "$setup"
`;
