import { takeTunnel } from './holder.ts';

/** The account that the engine logs in to, made for nothing else. */
export const tunnelUser = 'paceline';
const home = '/var/lib/paceline-tunnel';
/** Where the session that holds the port is noted. */
export const tunnelHolderFile = `${home}/holder`;

export interface TunnelSetup {
  port: number;
  /** The private key of the machine's SSH server, as OpenSSH keeps it. */
  hostKey: string;
  /** The engine's public key, which may listen on that one port and nothing else. */
  clientKey: string;
}

/**
 * The part of user data that lets the engine in: an account whose key may forward one port, and the host key by which the engine
 * tells this machine from all others. To be run as root by a shell with `umask 077`.
 *
 * Any process of the machine, and whoever can make it ask its metadata service, can read the host key there. It can be used to
 * play this machine's SSH server towards its own engine, by somebody who can also take its address on the network. What he gets
 * is a way to the engine's routes for agents, which every process of the machine has anyway behind the port; the join secret is
 * spent by then, and the agent's key never leaves the machine. He cannot listen in: to go on to the real machine he would need
 * the engine's own key.
 */
export function tunnelSetup({ port, hostKey, clientKey }: TunnelSetup): string {
  const options = `restrict,port-forwarding,permitlisten="127.0.0.1:${port}",permitopen="127.0.0.1:${port}",command="exec sh ${home}/take"`;
  return `t=${home}
k=/etc/ssh/ssh_host_ed25519_key
id ${tunnelUser} >/dev/null 2>&1 || useradd -r -d $t -s /bin/sh -p '*' ${tunnelUser}
mkdir -p $t/.ssh
cat >$t/.ssh/authorized_keys <<'E'
${options} ${clientKey}
E
cat >$t/take <<'E'
${takeTunnel(tunnelHolderFile)}
E
: >$t/holder
chmod 755 $t $t/.ssh
chmod 644 $t/.ssh/authorized_keys $t/take
chown ${tunnelUser} $t/holder
cat >$k <<'E'
${hostKey}E
ssh-keygen -yf $k >$k.pub
systemctl restart ssh 2>/dev/null || systemctl restart sshd 2>/dev/null || kill -HUP "$(cat /run/sshd.pid)" 2>/dev/null ||
  { mkdir -p /run/sshd; /usr/sbin/sshd; }
`;
}
