import { sha256 } from '../run/script-digest.ts';

/** Reads `PLACE SECRET NODE RANGES…`, and writes what the machine at this place is called and by which secret it joins, for JSON. */
const whoProgram = `
const [place, secret, node, ...ranges] = require("node:fs").readFileSync(0, "utf8").split(" ");
const numbers = ranges.flatMap((range) => {
  const [from, to = from] = range.split("-").map(Number);
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
});
const number = /^[0-9]+$/.test(place) ? numbers[place] : undefined;
if (number === undefined) process.exit(1);
const instance = node + "." + number;
const own = require("node:crypto").createHmac("sha256", secret).update(instance).digest("base64url");
process.stdout.write(JSON.stringify({ instance, secret: own }).slice(1, -1));
`;

/**
 * The part of the bootstrap that is the same for all machines, and not part of the user data, which has to be small. The user data fetches
 * it by its digest and reads it in, with all its own variables and functions.
 */
export const setupScript = `# The rest of what a machine runs when it boots: get Node.js and the agent, and keep the agent running.
agent=$cache/agent-$sha.cjs
config_file=$home/agent.json
packages=\${PACELINE_PACKAGES:-install}
node=\${PACELINE_NODE:-$(command -v node || :)}
works() { [ "$node" ] && "$node" -e 'process.exit(+(parseInt(process.versions.node) < 18))' 2>/dev/null; }

if [ ! "$root" ]; then
  # What is left of another machine, if this one was made from an image of it.
  for file in "$home"/*; do
    case $file in "$home/mine" | "$setup" | "$agent" | "$home/node") ;; *) rm -rf "$file" ;; esac
  done
  # Its logs would be in the reports of this one.
  rm -rf /var/log/slipstream/client/*
fi

if [ -z "\${PACELINE_RESIDENT:-}" ]; then
  if ! works && [ "$packages" = install ]; then
    echo 'paceline: installing Node.js' >&2
    for command in 'apt-get -qq update' 'apt-get -qqy --no-install-recommends install nodejs' \\
      'dnf -qy install nodejs' 'zypper -qn install nodejs' 'apk add -q nodejs'; do
      has "\${command%% *}" || continue
      DEBIAN_FRONTEND=noninteractive timeout 300 $command </dev/null >&2 || :
    done
    node=$(command -v node || :)
  fi
  if ! works && [ "$runtime" ] && [ "$(uname -sm)" = "\${runtime% *}" ]; then
    echo 'paceline: getting the Node.js of the engine' >&2
    node=$home/node
    get "\${runtime##* }" "$node"
  fi
  works || fail 'there is no Node.js 18 or newer on this machine, and none could be had'
fi
get "$sha" "$agent"

if [ "$launch" ]; then
  # All machines of a launch have this user data. Which of them this one is, its cloud knows.
  key=\${launch%% *}
  place=$(cloud-init query "$key") || fail "cloud-init does not know $key, which tells this machine from others of its launch"
  who=$(printf '%s %s' "$place" "\${launch#* }" | "$node" -e '${whoProgram}') ||
    fail "$key is $place, and none of the machines that were launched"
  config=$config,$who
fi

# Puts another key in the place of the one of the user data. It is never half there, and sessions go on.
[ ! "\${socket:-}" ] || cat >"$home/take-host-key" <<'E'
set -e
umask 077
key=/etc/ssh/ssh_host_ed25519_key
cat >$key.new
ssh-keygen -yf $key.new >$key.pub
chmod 644 $key.pub
mv $key.new $key
restorecon $key* 2>/dev/null || :
systemctl reload ssh 2>/dev/null || systemctl reload sshd 2>/dev/null || kill -HUP "$(cat /run/sshd.pid)"
E

[ -z "\${PACELINE_RESIDENT:-}" ] || config_file=$PACELINE_RESIDENT/$PACELINE_MACHINE.json
{
  printf '{"root":"%s","packages":"%s",' "$root" "$packages"
  [ -z "\${socket:-}" ] || printf '"tunnel":"%s",' "$socket"
  [ -z "\${PACELINE_SOCKET:-}" ] || printf '"socket":"%s",' "$PACELINE_SOCKET"
  [ -z "\${PACELINE_MACHINE:-}" ] || printf '"env":{"PACELINE_MACHINE":"%s","PACELINE_ADDRESS":"%s","HOME":"%s","TMPDIR":"%s"},' \\
    "$PACELINE_MACHINE" "\${PACELINE_ADDRESS:-}" "$HOME" "\${TMPDIR:-/tmp}"
  printf '%s}' "$config"
} >"$config_file.$$"
mv "$config_file.$$" "$config_file"

if [ -n "\${PACELINE_RESIDENT:-}" ]; then
  if [ ! -f "$PACELINE_RESIDENT/agent" ]; then
    printf '%s' "$agent" >"$PACELINE_RESIDENT/agent.$$"
    mv "$PACELINE_RESIDENT/agent.$$" "$PACELINE_RESIDENT/agent"
  fi
elif [ "$systemd" ]; then
  # It ends with 0 when the run needs it no more, with 3 and 4 when the engine does not want it.
  unit agent.service <<UNIT
[Unit]
Description=Agent of Paceline
Wants=network-online.target
After=network-online.target cloud-init-local.service
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh $home/mine $node $agent run --config $config_file
Restart=always
RestartSec=1
RestartPreventExitStatus=0 3 4
KillMode=process
StandardOutput=journal+console
StandardError=inherit
[Install]
WantedBy=multi-user.target
UNIT
  on agent.service
elif [ "$root" ]; then
  # Who has placed it here looks after it.
  exec "$node" "$agent" run --config "$config_file"
else
  output=$home/agent.log
  [ ! -w /dev/console ] || output=/dev/console
  setsid sh -c 'while :; do "$@"; case $? in 0 | 3 | 4) exit ;; esac; sleep 1; done' agent \\
    "$node" "$agent" run --config "$config_file" </dev/null >>"$output" 2>&1 &
fi
`;

export const setupSha256 = sha256(setupScript);
