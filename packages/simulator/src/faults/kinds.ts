/** Everything that can go wrong on purpose. A seed chooses some of them. */
export const faultKinds = [
  // Processes of the engine.
  'engine.kill',
  'engine.kill-at-effect',
  'engine.pause',
  'engine.pause-at-effect',
  'engine.restart',
  'engine.skew',
  'engine.power-cut',
  // The database.
  'database.slow',
  'database.fails',
  'database.unknown',
  'database.full',
  'database.gap',
  'database.partition',
  // The network between machines, people and engines.
  'network.delay',
  'network.drop',
  'network.lost-answer',
  'network.duplicate',
  'network.half-open',
  'network.cut',
  'network.partition-machines',
  'network.partition-engine',
  // Clouds.
  'cloud.slow',
  'cloud.lost-answer',
  'cloud.late-effect',
  'cloud.throttled',
  'cloud.unavailable',
  'cloud.capacity',
  'cloud.quota',
  'cloud.partial',
  'cloud.double-launch',
  'cloud.hidden',
  'cloud.forgets-hidden',
  'cloud.slow-terminate',
  'cloud.never-boots',
  'cloud.slow-boot',
  'cloud.error',
  'cloud.dies',
  'cloud.stops',
  'cloud.reboots',
  // Agents and scripts.
  'agent.kill',
  'agent.pause',
  // People.
  'people.cancel',
  'people.abort',
  'people.cancel-abort',
  'people.intrude',
  // Clouds again: where it is last, the seeds of before have the kinds that they had.
  'cloud.elsewhere',
] as const;

export type FaultKind = (typeof faultKinds)[number];
