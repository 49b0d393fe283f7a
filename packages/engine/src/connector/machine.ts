export type MachineState = 'pending' | 'running' | 'stopping' | 'stopped' | 'terminated' | 'error';

/** A machine as its cloud describes it. */
export interface Machine {
  id: string;
  /** The instance's number in its node, read back from a tag or from the order of the launch. */
  index: number;
  name: string;
  state: MachineState;
  publicIps: string[];
  privateIps: string[];
  /** The account to log in with over SSH. */
  login?: string;
  createdAt: Date;
  /** What went wrong, in the cloud's words, when the state is `error`. */
  fault?: string;
  /** It has failed, or ended, because there was no room for it: another cloud may have some. */
  noRoom?: boolean;
}

/** Something that carries our tags. */
export interface Resource {
  kind: 'machine' | 'disk' | 'address' | 'network' | 'image' | 'key' | 'group';
  id: string;
  name: string;
  owner: { engine: string; run: string; node?: string };
  token?: string;
  expiresAt?: Date;
  /**
   * Set when `kind` is `machine`, but for one that was noted and never started: nobody may wait for it. The next launch with its token
   * starts it, terminating it removes it.
   */
  machine?: Machine;
}

/** A disk that a machine was given while it ran. */
export interface AttachedDisk {
  id: string;
  /** Where the machine finds it: a device file, or the directory where it is mounted. */
  device: string;
}

export interface TerminateResult {
  id: string;
  /** True when the cloud no longer knows the machine; false while it is still going. */
  gone: boolean;
}
