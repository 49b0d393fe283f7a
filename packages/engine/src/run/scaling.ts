/** What a machine can be given other than its image asks for. */
export interface Size {
  cpus?: number;
  memoryMiB?: number;
}

/** A disk that a machine was given while it ran. */
export interface Disk {
  /** The cloud's name for it. */
  id: string;
  /** Where the machine finds it: a device file, or the directory where it is mounted. */
  device: string;
  gib: number;
}

/** What the cloud is to change of a machine that runs. */
export type Alteration =
  | { kind: 'resize'; size: Size }
  /** Asked for again with the same token, it is the same disk. */
  | { kind: 'attachDisk'; token: string; gib: number }
  | { kind: 'detachDisk'; device: string };

/** A change of the machines of one node, under way from one Ready to the next. */
export interface Scaling {
  /** Chosen by whoever asked, so that the same request, made again, is answered and not carried out again. */
  id: string;
  /** As recipes know it: `SLIPSTREAM_SCALING_ACTION`. */
  action: 'vm_create' | 'vm_remove' | 'vm_resize' | 'disk_attach' | 'disk_detach';
  node: string;
  /** The instances that come, go, or are altered. */
  instances: string[];
  /** How many of those that come may fail. */
  tolerated: number;
  /** Where machines neither come nor go. */
  alteration: Alteration | null;
}

/** Whether the machines of a scaling stay, and are altered. */
export function isVertical(action: Scaling['action']): boolean {
  return action !== 'vm_create' && action !== 'vm_remove';
}
