import type { Instance } from '../run/instance.ts';

/**
 * What the cloud says of a machine that has come to its end for want of room, until it is gone and another one may be launched elsewhere;
 * with where that is, so that others that move at the same time count it as being there.
 */
const moving = /^moving(?: to (.+))?$/;

export function movingTo(cloud: string): string {
  return `moving to ${cloud}`;
}

export function isMoving({ machine }: Instance): boolean {
  return machine.status === 'terminating' && moving.test(machine.cloudState);
}

/** Where an instance will be, as far as that is known: its cloud, or the one that it moves to. */
export function placeOf(instance: Instance): { node: string; cloud: string } {
  const { node, machine } = instance;
  const next = machine.status === 'terminating' ? moving.exec(machine.cloudState)?.[1] : undefined;
  return { node, cloud: next ?? machine.cloud };
}
