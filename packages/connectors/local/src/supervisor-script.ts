/**
 * The supervisor of one run: keeps the resident agent going, ends machines at their end of life, and takes the run's directory away
 * with the last machine. A shell, because it has to outlive the engine, weighs 1 MB, and starts in 1 ms.
 *
 * Usage: sh supervise.sh <node> <directory for rubbish>, in the directory of the run, as leader of its own process group.
 *
 * **One per run.** A supervisor takes a turn by making the link `turns/N`, whose text is its pid and start time. Making a link is
 * exclusive; turns are never given back; the holder is the highest N. So a successor can only follow a holder that it saw dead, and
 * two successors cannot both have N+1. (A lock that is deleted when it is stale has no such order: two may delete it.)
 *
 * **No polling.** It sleeps in the read of the fifo `wake`, where every cause for work arrives as a line: `boot` (a machine's user data
 * ended, so there may be a configuration: the agent starts within milliseconds), `members` (the engine added or removed machines), `tick`
 * (time to look at the clock), `exit N` (the agent ended). The fifo keeps a line until it is read, which signals do not.
 *
 * **The end.** `rmdir members` decides it: afterwards nobody can join this run's directory, and it fails if somebody just did. Only the
 * holder of the turn removes anything, so a new directory for the same run can only come after the old agent is dead.
 */
export const supervisorScript = `#!/bin/sh
node=$1 rubbish=$2 run=$PWD
running= resting= ticker=

# pid.start of a process; the start time tells it from a later process with its pid
stamp() {
  if read -r line <"/proc/$1/stat"; then
    set -- "$1" \${line##*) }
    echo "$1.\${21}"
  else
    echo "$1.0"
  fi 2>/dev/null
}

alive() {
  [ -n "$1" ] && kill -0 "\${1%.*}" 2>/dev/null && [ "$(stamp "\${1%.*}")" = "$1" ] && ! zombie "\${1%.*}"
}

zombie() {
  { read -r line <"/proc/$1/stat"; } 2>/dev/null && case \${line##*) } in Z*) true ;; *) false ;; esac
}

take_turn() {
  for last in turns/*; do :; done
  holder=$(readlink "$last") && alive "$holder" && exit 0
  case $last in 'turns/*') turn=10001 ;; *) turn=$((\${last#turns/} + 1)) ;; esac
  ln -s "$(stamp $$)" "turns/$turn" 2>/dev/null || exit 0
  # What the predecessor left running: a clock that nobody hears, and a second agent for the same machines.
  { read -r orphan <ticker.pid; } 2>/dev/null && alive "$orphan" && kill -TERM "\${orphan%.*}"
  { read -r orphan <resident.pid; } 2>/dev/null && alive "$orphan" && kill -KILL "\${orphan%.*}"
}

start_agent() {
  [ -z "$running$resting" ] || return 0
  set -- resident/*.json
  [ -e "$1" ] && [ -e resident/agent ] || return 0
  read -r bundle <resident/agent || [ -n "$bundle" ] || return 0
  : >resident.pid
  running=yes
  (
    "$node" "$bundle" reside --dir "$run/resident" --idle-exit 5 </dev/null >>resident.log 2>&1 3>&- &
    stamp $! >resident.pid
    wait $!
    echo "exit $?" >&3
  ) &
}

# After a crash the agent gets a second to breathe. Idle, it ended by itself: the next boot starts it again.
agent_ended() {
  running=
  set -- "$1" resident/*.json
  [ -e "$2" ] || return 0
  for member in members/*/; do
    echo "paceline: the agent ended with status $1 and is started again; its log is $run/resident.log" >>"$member/console.log"
  done 2>/dev/null
  resting=yes
  (sleep 1 3>&-; echo rested >&3) &
}

# Sets over when there is no machine left. Sleeps at most 30 s: sleep(1) does not count the time a laptop is suspended.
check() {
  now=$(date +%s)
  nearest=$((now + 30)) expired=
  for member in members/*; do
    { read -r at <"$member/expires"; } 2>/dev/null || { rm -f "$member"; continue; }
    if [ "$at" -le "$now" ]; then
      expired="$expired \${member#members/}"
    elif [ "$at" -lt "$nearest" ]; then
      nearest=$at
    fi
  done
  [ -z "$expired" ] || expire $expired
  set -- members/*
  if [ ! -L "$1" ] && { rmdir members 2>/dev/null || [ ! -d members ]; }; then
    over=yes
    return
  fi
  [ -z "$ticker" ] || kill "$ticker" 2>/dev/null
  (
    trap 'kill "$nap"; exit' TERM
    sleep $((nearest - now)) 3>&- &
    nap=$!
    wait "$nap"
    echo tick >&3
  ) &
  ticker=$!
  stamp $ticker >ticker.pid
}

carriers() {
  grep -l "$@" /proc/[0-9]*/environ 2>/dev/null | sed 's|^/proc/||; s|/environ$||'
}

# The end of life, for machines whose engine may be gone: what carries their marks dies, the files stay as evidence.
expire() {
  marks= round=0
  for id; do
    echo "end of life" >"members/$id/ended"
    rm -f "resident/$id.json"
    marks="$marks -e PACELINE_MACHINE=$id"
    # Where there is no /proc there are no marks to find, but at least the group.
    [ -d /proc/self ] || { read -r leader _ <"members/$id/process" && kill -KILL -- "-$leader"; } 2>/dev/null
  done
  while [ $round -lt 100 ] && victims=$(carriers $marks) && [ -n "$victims" ]; do
    [ $round -gt 0 ] || kill -TERM $victims 2>/dev/null
    [ $round -lt 20 ] || kill -KILL $victims 2>/dev/null
    round=$((round + 1))
    sleep 0.1 3>&-
  done
  for id; do
    # Once more: the user data may have written it while it died.
    rm -f "resident/$id.json" "members/$id"
  done
}

finish() {
  if [ -n "$running" ] && read -r agent <resident.pid; then
    kill -TERM "\${agent%.*}" 2>/dev/null
    (sleep 2 3>&-; echo late >&3) &
    while [ -n "$running" ] && read -r event status <&3; do
      case $event in
        exit) running= ;;
        late) kill -KILL "\${agent%.*}" 2>/dev/null ;;
      esac
    done
  fi
  away=$rubbish/run-$(stamp $$)
  mv "$run" "$away" && rm -rf "$away"
  kill -KILL 0
}

take_turn
# A new fifo for each turn: what is left of a predecessor still writes to the old one.
rm -f wake
mkfifo wake
exec 3<>wake
over=
check
start_agent
while [ -z "$over" ] && read -r event status <&3; do
  case $event in
    exit) agent_ended "$status" ;;
    boot) start_agent ;;
    rested) resting=; start_agent ;;
    *) check; start_agent ;;
  esac
done
finish
`;
