import type { Checks } from './checks/checks.ts';
import type { SimulatedCloud } from './clouds/cloud.ts';
import type { Cluster } from './engines/cluster.ts';
import type { Faults } from './faults/faults.ts';
import type { Kernel } from './kernel/kernel.ts';
import type { Random } from './kernel/random.ts';
import type { Trace } from './kernel/trace.ts';
import type { Network } from './network/network.ts';
import type { SimulatedStore } from './store/store.ts';

/** What every part of a simulation needs of the others. */
export interface World {
  readonly kernel: Kernel;
  readonly random: Random;
  readonly faults: Faults;
  /** Only where somebody will read it. */
  readonly trace: Trace | undefined;
  readonly checks: Checks;
  readonly store: SimulatedStore;
  readonly network: Network;
  readonly clouds: SimulatedCloud[];
  readonly cluster: Cluster;
}
