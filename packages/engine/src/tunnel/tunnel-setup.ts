import { tunnelSocket } from './holder.ts';

/** The account that the engine logs in to, made for nothing else. */
export const tunnelUser = 'paceline';
const home = '/var/lib/paceline-tunnel';
/** What this account may write to, and nobody else but root. */
export const tunnelFolder = `${home}/own`;

export interface TunnelSetup {
  /** The private key of the machine's SSH server, as OpenSSH keeps it. */
  hostKey: string;
  /** The engine's public key, which may log in to that account. */
  clientKey: string;
}

/** For a shell: where the machine finds its engine. A connector that lets the engine in by itself says so in the environment. */
export const socketOnMachine = `\${PACELINE_TUNNEL:-${tunnelSocket(tunnelFolder)}}`;

/**
 * The part of user data that lets the engine in: an account, and the host key by which the engine tells this machine from all others.
 * To be run as root by a shell with `umask 077`. Under SELinux, of the RHEL family, the SSH server reads the keys of a home below
 * `/var/lib` only if they are labelled so: the policy has a label for those of a few such homes, so `restorecon` would not do.
 *
 * Any process of the machine, and whoever can make it ask its metadata service, can read the host key there. It is good until the agent has
 * joined: with the answer to that, which root alone reads, comes another, and the engine takes no other from then on. Until then it can be used
 * to play this machine's SSH server towards its engine, by somebody who can also take its address on the network. He gets a way to the engine's
 * routes for agents and can use up the join secret, as any process of the machine can, which is noticed. He cannot listen in: to go
 * on to the real machine he would need the engine's own key.
 */
export function tunnelSetup({ hostKey, clientKey }: TunnelSetup): string {
  return `t=${home}
k=/etc/ssh/ssh_host_ed25519_key
id ${tunnelUser} >/dev/null 2>&1 || useradd -r -d $t -s /bin/sh -p '*' ${tunnelUser}
mkdir -p $t/.ssh
echo 'restrict,port-forwarding ${clientKey}' >$t/.ssh/authorized_keys
chmod 755 $t $t/.ssh
chmod 644 $t/.ssh/*
install -d -m 700 -o ${tunnelUser} ${tunnelFolder}
cat >$k <<'E'
${hostKey}E
ssh-keygen -yf $k >$k.pub
{ restorecon $k*; chcon -Rt ssh_home_t $t/.ssh; } 2>/dev/null || :
systemctl restart ssh 2>/dev/null || systemctl restart sshd 2>/dev/null || kill -HUP "$(cat /run/sshd.pid)" 2>/dev/null ||
  { mkdir -p /run/sshd; /usr/sbin/sshd; }
`;
}
