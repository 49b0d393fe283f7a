#!/bin/sh
# Machines that are processes of this host: a connector of Paceline in shell, with jq, flock and timeout.
#
# It speaks the protocol of docs/connector-protocol.md, one request after the other. The functions launch, describe, list and terminate say what it
# does with machines; to speak to a cloud of yours, call its command-line tool there. Configuration: {"root": "/absolute/directory"}.
set -u
root=

say() { printf '%s\n' "$1"; }
answer() { jq -cn --argjson id "$id" --argjson result "$1" '{$id, $result}'; }
refuse() { jq -cn --argjson id "$id" --arg code "$1" --arg message "$2" '{$id, error: {$code, $message}}'; }
param() { printf '%s' "$params" | jq -r "$1"; }

# A name that is fit for a machine, and so for a directory.
is_name() { case $1 in '' | -* | *[!a-z0-9-]*) return 1 ;; esac; [ ${#1} -le 63 ]; }
is_machine() { is_name "$1" && [ -f "$root/$1/record.json" ]; }
# When a process was started; nothing when it is not there, or a zombie.
started() { sed -n 's/.*) //; /^Z/d; p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
runs() { [ -f "$root/$1/process" ] && read -r pid start <"$root/$1/process" && [ "$(started "$pid")" = "$start" ]; }

machine() {
  if runs "$1"; then state=running; else state=stopped; fi
  jq -c --arg state "$state" '{id: .name, name, index, $state, privateIps: ["127.0.0.1"], createdAt}' "$root/$1/record.json"
}

make() { # NAME INDEX USER-DATA
  is_name "$1" || { refuse invalid "$1 cannot be the name of a machine"; return 1; }
  if ! is_machine "$1"; then
    rm -rf "${root:?}/$1.new"
    mkdir "$root/$1.new"
    printf '%s' "$3" | base64 -d >"$root/$1.new/user-data"
    chmod 700 "$root/$1.new/user-data"
    printf '%s' "$params" |
      jq --arg name "$1" --argjson index "$2" '{$name, $index, token, owner, expiresAt, createdAt: (now | todate)}' >"$root/$1.new/record.json"
    # A directory that is half made is not named as a machine is.
    mv "$root/$1.new" "$root/$1"
  elif [ "$(jq -r .token "$root/$1/record.json")" != "$(param .token)" ]; then
    refuse conflict "there is another machine $1"
    return 1
  fi
  # Whoever launches again finishes what was begun, and boots nothing twice.
  [ -f "$root/$1/process" ] || boot "$1"
}

boot() {
  life=$(jq -r '((.expiresAt | sub("\\.[0-9]+"; "") | fromdate) - now) | floor | if . < 1 then 1 else . end' "$root/$1/record.json")
  (
    cd "$root/$1" || exit
    # It leads a session of its own, whose number is its own, and does not hold the lock.
    PACELINE_ROOT=$PWD HOME=$PWD exec setsid timeout --signal=KILL "$life" sh -c './user-data; while :; do sleep 3600; done' \
      </dev/null >>console.log 2>&1 9>&-
  ) &
  echo "$! $(started $!)" >"$root/$1/process"
}

launch() {
  names=$(param '.machines[].name')
  printf '%s' "$params" | jq -r '.machines[] | "\(.name) \(.index) \(.userData)"' >"$work/machines"
  while read -r name index data; do make "$name" "$index" "$data" || return; done <"$work/machines"
  answer "$(for name in $names; do machine "$name"; done | jq -cs '{machines: .}')"
}

describe() {
  param '.ids[]' >"$work/ids"
  answer "$(while IFS= read -r name; do is_machine "$name" && machine "$name"; done <"$work/ids" | jq -cs '{machines: .}')"
}

list() {
  for folder in "$root"/*/; do
    name=$(basename "$folder")
    is_machine "$name" || continue
    jq -c --argjson id "$id" --argjson query "$params" --argjson machine "$(machine "$name")" '
      select(.owner.engine == $query.engine and ($query.run // .owner.run) == .owner.run and ($query.token // .token) == .token)
      | {$id, item: {kind: "machine", id: .name, name, owner, token, expiresAt, $machine}}' "$root/$name/record.json"
  done
  answer '{}'
}

terminate() {
  param '.ids[]' >"$work/ids"
  while IFS= read -r name; do
    is_machine "$name" || continue
    runs "$name" && kill -KILL -"$pid" 2>/dev/null
    # From here on nobody takes it for a machine, also when what follows is cut off.
    mv "$root/$name" "$root/$name.gone.$$"
    rm -rf "$root/$name.gone.$$"
  done <"$work/ids"
  answer "$(printf '%s' "$params" | jq -c '{results: [.ids[] | {id: ., gone: true}]}')"
}

hello() {
  root=$(param '.config.root // ""')
  case $root in
    /*) mkdir -p "$root" ;;
    *) refuse invalid 'the configuration needs `root`, an absolute directory'; return ;;
  esac
  answer '{"protocol": 1, "name": "shell-processes", "version": "1.0.0", "capabilities": {
    "userDataBytes": 65536, "maxBatch": 8, "idempotency": "name", "listConsistencyMs": 0, "reach": "host"}}'
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
while IFS= read -r line; do
  method=$(printf '%s' "$line" | jq -r .method)
  id=$(printf '%s' "$line" | jq '.id // 0')
  params=$(printf '%s' "$line" | jq -c '.params // {}')
  case $method in
    hello) hello ;;
    # One launch or end at a time, in this process and in others.
    launch | terminate) (flock 9 && "$method") 9>"$root/lock" ;;
    describe | list) "$method" ;;
    probe) answer "$(jq -cn --arg root "$root" --arg user "$(id -un)" '{account: "\($user) at \($root)", regions: ["here"]}')" ;;
    # Requests are carried out one after the other: what is cancelled has been answered, or is too late.
    cancel) ;;
    *) refuse unsupported 'this connector does not know that method' ;;
  esac
done
