import type { MachineState } from '@paceline/engine/connector';

/** What can be seen of a machine from outside. */
export interface Evidence {
  /** Somebody has asked to terminate it. */
  ended: boolean;
  /** The boot of the host in which it was started. */
  started?: string;
  /** Its supervisor says that it lives. */
  alive: boolean;
  /** What its boot complained of. */
  fault?: string;
  /** How it ended, in its supervisor's words. */
  exit?: { why: string; failed: boolean };
  /** The present boot of the host. */
  boot: string;
}

/** What a cloud would say of such a machine. */
export function machineState({ ended, started, alive, fault, exit, boot }: Evidence): { state: MachineState; fault?: string } {
  if (ended) {
    return { state: alive ? 'stopping' : 'stopped' };
  }
  if (started === undefined) {
    return { state: 'pending' };
  }
  if (alive) {
    return fault === undefined ? { state: 'running' } : { state: 'error', fault };
  }
  if (exit !== undefined) {
    return { state: exit.failed ? 'error' : 'stopped', fault: exit.why };
  }
  return { state: 'stopped', fault: started === boot ? 'its supervisor was killed' : 'the host was restarted' };
}
