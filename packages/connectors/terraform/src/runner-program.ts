/**
 * Brings one machine to where it should be: made, or ended when `ended` is there. It runs in a session of its own and goes on when the engine
 * ends. Whoever has the lock is the only one at it; what the tool knows is in the state before it is in any other file, and the state is the
 * last thing that goes.
 *
 * A tool that hangs is asked to stop as by Ctrl-C, so that it writes down what it has made, and killed when it does not heed that for long. What
 * it was making then is in no state: the machine stays, with the file `killed`, until somebody has looked. So it does when the runner is killed,
 * too, which leaves the file `making`.
 *
 * Arguments: the tool, the folder of the machine, the copy of its module, the folder that a machine goes to when it is gone, and in seconds: how
 * long the tool may take, how long it may go on with a machine that is to go, and how long it may take to stop before it is killed.
 */
export const runnerProgram = String.raw`
set -u
umask 077
trap '' HUP
# Who stops a service tells all that are of it, and kills after a while what is left. What was told is heard when the tool has ended.
trap 'told=yes' TERM
tool=$1 machine=$2 module=$3 grave=$4 patience=$5 grace=$6 mercy=$7
cd "$machine" || exit 0
exec 9>>lock </dev/null >>log 2>&1
flock -n 9 || exit 0

# Told twice to stop, the tool drops what it is at. So it is of a session of its own: what times it tells it, and then the group that both are of.
# A workspace of the copy has its state in the folder of the machine.
export TF_WORKSPACE=$(basename "$machine")
ask() { timeout -s INT -k "$mercy" "$patience" setsid "$tool" -chdir="$module" "$@" 9>&-; }

# Nobody waits for a machine that is to go: what makes it is stopped as if its time were over.
hurry() {
  late=$(($(date +%s) + patience - 5))
  while [ ! -e ended ]; do sleep 1; done
  sleep "$grace"
  [ "$(date +%s)" -ge "$late" ] || kill -s INT "$(cat timeout.pid)"
}

# A line as the tool's own errors are, after what it was writing when it was killed.
complain() { printf '\n{"diagnostic":{"severity":"error","summary":"%s"}}\n' "$1" >>answer.new; }

# What of it may be there and in no state.
doubt() {
  begun=$(sed -n '/"type":"apply_start"/s/.*"@message":"\([^"\\]*\).*/\1/p' answer.new | tr '\n' ' ')
  [ -z "$begun" ] ||
    echo "the tool was killed while it made it, so its state may lack something ($begun): look for it by hand, then delete $machine/killed" >killed
}

work() {
  hurrying= told=
  [ "$1" = destroy ] || { : >making; hurry 9>&- & hurrying=$!; }
  sh -c 'echo $$ >timeout.pid; exec "$@"' sh timeout -s INT -k "$mercy" "$patience" \
    setsid sh -c 'echo $$ >tool.pid; exec "$@"' sh \
    "$tool" -chdir="$module" "$1" -input=false -auto-approve -lock-timeout=600s -json -var-file="$machine/inputs.tfvars.json" >answer.new 9>&-
  code=$?
  [ -z "$hurrying" ] || kill "$hurrying"
  case $code in
    124) complain "$1 did not end within $patience s, and was stopped" ;;
    137)
      # Its providers.
      kill -KILL -- "-$(cat tool.pid)" 2>/dev/null
      complain "$1 was killed: it did not stop within $mercy s, or there was no memory for it"
      ;;
  esac
  # Told too, providers end at once.
  if [ "$1" = apply ] && [ $code != 0 ] && { [ $code = 137 ] || [ -n "$told" ]; }; then doubt; fi
  mv answer.new answer
  rm -f making
  return $code
}

left() { [ ! -s terraform.tfstate ] || ask state list; }

# The folder may have gone while the lock was waited for.
while [ -e machine.json ]; do
  # Whoever was at it was killed together with the tool.
  if [ -e making ]; then
    doubt
    rm making
  fi
  if [ -e killed ] && [ ! -e failed ]; then cp killed failed; fi
  if [ -e ended ]; then
    rm -f stuck
    if [ -s terraform.tfstate ] && ! work destroy; then mv answer stuck; exit 0; fi
    remains=$(left) || { echo "its state cannot be read" >stuck; exit 0; }
    if [ -n "$remains" ]; then echo "it still has $remains" >stuck; exit 0; fi
    if [ -e killed ]; then cp killed stuck; exit 0; fi
    mv "$machine" "$grave" && rm -rf "$grave"
    exit 0
  elif [ -e outputs.json ] || [ -e failed ]; then
    exit 0
  elif work apply && ask output -json >outputs.new; then
    mv outputs.new outputs.json || exit 1
  else
    mv answer failed || exit 1
  fi
done
`;
