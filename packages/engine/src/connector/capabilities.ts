/** What a connector can do beyond the required methods, and what the engine has to reckon with. */
export interface Capabilities {
  /** The longest user data that `launch` takes, in bytes. */
  userDataBytes: number;
  /** The most machines that one `launch` call may start. */
  maxBatch: number;
  /** One call to the cloud launches many machines, with the same user data. @default each machine is launched by itself */
  sharedLaunch?: SharedLaunch;
  /**
   * How a repeated launch is kept from making a second machine: the cloud knows the token, or a name that is unique, or the engine
   * finds the token among the tags.
   */
  idempotency: 'token' | 'name' | 'tag';
  /** A machine can be missing from `list` and `describe` for this long after its launch, in milliseconds. */
  listConsistencyMs: number;
  console: 'none' | 'full' | 'incremental';
  /** How machines reach the engine: they can open its URL, or run on its host, or it has to reach out to them by SSH. */
  reach: 'direct' | 'host' | 'tunnel';
  snapshot: boolean;
  /** Its machines have a Node.js for the agent, whatever their image. @default false */
  bringsNode?: boolean;
  /** How many calls the cloud takes, as far as that is known; when it complains there are less. @default 20 a second, 100 at once */
  calls?: { perSecond: number; burst: number };
}

/** How machines are launched that have their user data in common: `shared` of a launch. */
export interface SharedLaunch {
  /** The most of them that one `launch` call may start. */
  maxBatch: number;
  /** What a machine asks `cloud-init query` for to learn its place in the call, which begins with 0, such as `ds.meta_data.launch_index`. */
  placeKey: string;
}
