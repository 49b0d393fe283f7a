/** What a machine can be given other than its image asks for. */
export interface Size {
  cpus?: number;
  memoryMiB?: number;
}

/** A change of the machines of one node, under way from one Ready to the next. */
export interface Scaling {
  /** Chosen by whoever asked, so that the same request, made again, is answered and not carried out again. */
  id: string;
  /** As recipes know it: `SLIPSTREAM_SCALING_ACTION`. */
  action: 'vm_create' | 'vm_remove' | 'vm_resize';
  node: string;
  /** The instances that come, go, or are resized. */
  instances: string[];
  /** How many of those that come may fail. */
  tolerated: number;
  /** For `vm_resize`. */
  size: Size | null;
}
