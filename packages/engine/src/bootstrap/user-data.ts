import { tunnelSetup, type TunnelSetup } from '../tunnel/tunnel-setup.ts';

/** What a machine has to know to call home. All of it can be read by any process of the machine; the secret is good for one join. */
export interface Bootstrap {
  /** Where the engine answers, without a trailing slash. */
  url: string;
  agentSha256: string;
  run: string;
  instance: string;
  secret: string;
  expiresAt: Date;
  /** For machines that their engine has to reach, by an account that it makes for itself. */
  tunnel?: TunnelSetup;
}

/** The longest user data that we render, in bytes; EC2 allows 16 KiB. */
export const maxUserDataBytes = 4096;

/**
 * The shell script that cloud-init (or the `local` connector) runs when the machine boots: get the agent, check it, start it.
 * `PACELINE_ROOT`, `PACELINE_AGENT_CACHE`, `PACELINE_NODE`, `PACELINE_RESIDENT` and friends let a connector place things.
 */
export function renderUserData(bootstrap: Bootstrap): Uint8Array {
  const { url, agentSha256, run, instance, secret, expiresAt, tunnel } = bootstrap;
  const config = { url, run, instance, secret, expires: expiresAt.toISOString() };
  const values = Object.entries(config).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  if (values.some((value) => value.includes("'"))) throw new Error('a bootstrap value contains a quote');
  const setup = tunnel === undefined ? '' : tunnelSetup(tunnel);
  const script = template
    .replace('@SHA@', agentSha256)
    .replace('@URL@', url)
    .replace('@CONFIG@', values.join(','))
    .replace('@TUNNEL@', () => setup);
  const bytes = new TextEncoder().encode(script);
  if (bytes.length > maxUserDataBytes) throw new Error(`user data of ${bytes.length} bytes, at most ${maxUserDataBytes} are allowed`);
  return bytes;
}

const template = `#!/bin/sh
# Paceline: get the agent, check it, start it.
set -eu
umask 077
sha=@SHA@
url='@URL@'
root=\${PACELINE_ROOT:-}
home=$root/var/lib/paceline
cache=\${PACELINE_AGENT_CACHE:-$home}
agent=$cache/agent-$sha.cjs
fail() { echo "paceline: $*" >&2; exit 1; }
sum() { { sha256sum "$1" 2>/dev/null || shasum -a 256 "$1"; } | { read -r got rest; echo "$got"; }; }
@TUNNEL@mkdir -p "$home" "$cache"
if [ ! -f "$agent" ] || [ "$(sum "$agent")" != $sha ]; then
  new=$agent.$$
  from=$url/agent/files/$sha
  curl -fsS --retry 8 --retry-connrefused -o "$new" "$from" || wget -qO "$new" "$from" || fail "cannot fetch the agent from $from"
  got=$(sum "$new")
  [ "$got" = $sha ] || { rm -f "$new"; fail "the agent has SHA-256 $got, expected $sha"; }
  mv "$new" "$agent"
fi
config=$home/agent.json
[ -z "\${PACELINE_RESIDENT:-}" ] || config=$PACELINE_RESIDENT/$PACELINE_MACHINE.json
{
  printf '{"root":"%s","packages":"%s",' "$root" "\${PACELINE_PACKAGES:-install}"
  [ -z "\${PACELINE_SOCKET:-}" ] || printf '"socket":"%s",' "$PACELINE_SOCKET"
  [ -z "\${PACELINE_MACHINE:-}" ] || printf '"env":{"PACELINE_MACHINE":"%s","PACELINE_ADDRESS":"%s","HOME":"%s","TMPDIR":"%s"},' \
    "$PACELINE_MACHINE" "\${PACELINE_ADDRESS:-}" "$HOME" "\${TMPDIR:-/tmp}"
  printf '%s}' '@CONFIG@'
} >"$config.$$"
if [ -n "\${PACELINE_RESIDENT:-}" ]; then
  if [ ! -f "$PACELINE_RESIDENT/agent" ]; then
    printf '%s' "$agent" >"$PACELINE_RESIDENT/agent.$$"
    mv "$PACELINE_RESIDENT/agent.$$" "$PACELINE_RESIDENT/agent"
  fi
  exec mv "$config.$$" "$config"
fi
mv "$config.$$" "$config"
node=\${PACELINE_NODE:-$(command -v node || true)}
[ -n "$node" ] || fail "there is no node on this machine"
exec "$node" "$agent" run --config "$config"
`;
