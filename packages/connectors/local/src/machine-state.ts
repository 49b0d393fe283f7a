import type { MachineState } from '@paceline/engine/connector';

/** What can be seen of a machine from outside. */
export interface Evidence {
  /** Its user data was started. */
  started: boolean;
  /** The first process, which runs the user data, lives. */
  booting: boolean;
  /** The status with which the user data ended. */
  exit?: number;
  /** Some process of its own lives. */
  alive: boolean;
  /** The resident agent of its run is looked after. */
  supervised: boolean;
  /** It is being ended, or was: by us, or by the watchdog at its end of life. */
  ended: boolean;
  lastLine: string;
}

/** What a cloud would say of such a machine. */
export function machineState(evidence: Evidence): { state: MachineState; fault?: string } {
  if (evidence.ended) {
    return { state: evidence.alive ? 'stopping' : 'stopped' };
  }
  if (!evidence.started) {
    return { state: 'pending' };
  }
  if (evidence.exit !== undefined && evidence.exit !== 0) {
    return { state: 'error', fault: evidence.lastLine || `the user data ended with status ${evidence.exit}` };
  }
  if (evidence.exit === undefined && !evidence.booting) {
    return { state: 'error', fault: 'the user data was killed before it ended' };
  }
  return { state: evidence.booting || evidence.supervised || evidence.alive ? 'running' : 'stopped' };
}
