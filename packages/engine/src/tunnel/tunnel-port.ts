import { sha256 } from '../run/script-digest.ts';

/** Below the ports that systems give to outgoing connections, and away from those of well-known services. */
const firstPort = 22_100;
const ports = 9_900;

/**
 * The port of a machine's loopback address behind which it finds its engine. It follows from the launch, so that a repeated one
 * carries the same user data; machines that share a host have different ones, as good as always.
 */
export function tunnelPort(run: string, instance: string, token: string): number {
  return firstPort + (Number.parseInt(sha256(`tunnel ${run} ${instance} ${token}`).slice(0, 8), 16) % ports);
}
