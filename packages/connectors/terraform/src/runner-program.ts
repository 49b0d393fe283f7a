/**
 * Brings one machine to where it should be: made, or ended when `ended` is there. It runs in a session of its own and goes on when the engine
 * ends. Whoever has the lock is the only one at it; what the tool knows is in the state before it is in any other file, and the state is the
 * last thing that goes.
 *
 * A tool that hangs is asked to stop as by Ctrl-C, so that it writes down what it has made, and killed when it does not heed that.
 *
 * Arguments: the tool, the folder of the machine, the copy of its module, the folder that a machine goes to when it is gone, the seconds that the
 * tool may take, and those that it may go on when it is to stop.
 */
export const runnerProgram = String.raw`
set -u
umask 077
trap '' HUP
tool=$1 machine=$2 module=$3 grave=$4 patience=$5 grace=$6
cd "$machine" || exit 0
exec 9>>lock </dev/null >>log 2>&1
flock -n 9 || exit 0

# A workspace of the copy has its state in the folder of the machine.
export TF_WORKSPACE=$(basename "$machine")
ask() { timeout -s INT -k "$grace" "$patience" "$tool" -chdir="$module" "$@" 9>&-; }

# Nobody waits for a machine that is to go: what makes it is stopped as if its time were over.
hurry() {
  while [ ! -e ended ]; do sleep 1; done
  sleep "$grace"
  kill -s INT "$(cat tool.pid)"
}

work() {
  hurrying=
  [ "$1" = destroy ] || { hurry 9>&- & hurrying=$!; }
  sh -c 'echo $$ >tool.pid; exec "$@"' sh \
    timeout -s INT -k "$grace" "$patience" \
    "$tool" -chdir="$module" "$1" -input=false -auto-approve -lock-timeout=600s -json -var-file="$machine/inputs.tfvars.json" >answer.new 9>&-
  code=$?
  [ -z "$hurrying" ] || kill "$hurrying"
  case $code in 124 | 137) echo "$tool $1 did not end within $patience s, and was stopped" >answer.new ;; esac
  mv answer.new answer
  return $code
}

left() { [ ! -s terraform.tfstate ] || ask state list; }

# The folder may have gone while the lock was waited for.
while [ -e machine.json ]; do
  if [ -e ended ]; then
    rm -f stuck
    if [ -s terraform.tfstate ] && ! work destroy; then mv answer stuck; exit 0; fi
    remains=$(left) || { echo "its state cannot be read" >stuck; exit 0; }
    if [ -n "$remains" ]; then echo "it still has $remains" >stuck; exit 0; fi
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
