import { chmodSync, linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Paths } from '../paths.ts';
import { commandNames } from './commands.ts';

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * The commands, one file for all: in plain sh, with curl as the only other process. Arguments travel one by one, URL-encoded by
 * curl, so that nothing in them is special. The agent decides what they mean; here only "print", "exit" and "ask again" are known.
 * Without a curl that knows Unix sockets the agent's own bundle does the same. An agent that is being restarted is waited for.
 */
function shimText(socket: string, node: string, bundle: string): string {
  return `#!/bin/sh
# Asks Paceline's agent on this machine; see ss-get --help.
PATH=$PATH:/usr/local/bin:/usr/bin:/bin
name=\${0##*/} socket=${quote(socket)}
newline='
'
n=$# before='' input=''
while [ "$n" -gt 0 ]; do
  case $name$before:$1 in ss-set--file:- | ss-set*:--file=-) input=- ;; esac
  before=$1
  set -- "$@" --data-urlencode "a=$1"
  shift
  n=$((n - 1))
done
if [ "$input" ]; then
  input=$(mktemp) || exit 1
  trap 'rm -f "$input"' EXIT
  trap 'exit 255' HUP TERM
  cat >"$input"
  set -- "$@" --data-urlencode "f@$input"
fi
trap 'exit 255' INT
deadline='' lost=0
while :; do
  reply=$(curl -qs --noproxy '*' --unix-socket "$socket" -H Expect: -d "i=$PACELINE_IGNORE_ABORT&w=$deadline&p=$$" --data-urlencode "d=$PWD" "$@" "http://agent/$name" 2>/dev/null)
  case $? in
  0) ;;
  7 | 18 | 52 | 55 | 56)
    [ $((lost % 10)) = 0 ] && echo "Waiting for the agent" >&2
    lost=$((lost + 1))
    sleep 1
    continue
    ;;
  *)
    n=$#
    while [ "$n" -gt 0 ]; do
      case $2 in a=*) set -- "$@" "\${2#a=}" ;; esac
      shift 2
      n=$((n - 2))
    done
    unset NODE_OPTIONS NODE_EXTRA_CA_CERTS
    export PACELINE_SOCKET="$socket"
    [ "$input" ] || exec ${quote(node)} ${quote(bundle)} "$name" "$@"
    ${quote(node)} ${quote(bundle)} "$name" "$@" <"$input"
    exit
    ;;
  esac
  head=\${reply%%"$newline"*}
  text=\${reply#"$head"}
  text=\${text#"$newline"}
  case $head in
  'wait '*)
    deadline=\${head#wait }
    [ -z "$text" ] || printf '%s\\n' "$text" >&2
    continue
    ;;
  *' out') printf '%s\\n' "$text" ;;
  *' err') printf '%s\\n' "$text" >&2 ;;
  *' both')
    printf '%s\\n' "\${text%%"$newline"*}" >&2
    printf '%s\\n' "\${text#*"$newline"}"
    ;;
  *' none') ;;
  *)
    echo "Error: the agent's answer cannot be read" >&2
    exit 5
    ;;
  esac
  exit "\${head%% *}"
done
`;
}

/** What SlipStream's users source to debug by hand. */
export function setenvText({ bin, sbin }: Paths): string {
  return `export PATH=$PATH:${quote(bin)}:${quote(sbin)}\n`;
}

/** Install the commands as files that `which` finds, replacing older ones whole. */
export function installCommands(paths: Paths, node: string, bundle: string): void {
  const shim = join(paths.bin, '.ss-shim');
  rmSync(shim, { force: true });
  writeFileSync(shim, shimText(paths.socket, node, bundle));
  chmodSync(shim, 0o755);
  for (const name of commandNames) {
    rmSync(`${shim}.link`, { force: true });
    linkSync(shim, `${shim}.link`);
    renameSync(`${shim}.link`, join(paths.bin, name));
  }
  rmSync(shim, { force: true });
  writeFileSync(join(paths.sbin, 'slipstream.setenv'), setenvText(paths));
  chmodSync(join(paths.sbin, 'slipstream.setenv'), 0o644);
}
