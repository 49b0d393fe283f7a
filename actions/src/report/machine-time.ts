import type { EventView } from '@paceline/api';

/** How long a machine was there. */
export interface MachineTime {
  instance: string;
  /** Milliseconds from its launch to its end, or until now. */
  ms: number;
}

/** How long each machine of a run was there: what clouds charge for. @param now in milliseconds since the epoch */
export function machineTimes(events: readonly EventView[], now: number): MachineTime[] {
  const machines = new Map<string, { instance: string; begun: number; ended?: number }>();
  for (const { type, at, data } of events) {
    const { id, instance, status } = data;
    if (type !== 'instance.machine' || typeof id !== 'string') continue;
    const machine = machines.get(id);
    if (status === 'launched' && machine === undefined) machines.set(id, { instance: String(instance), begun: Date.parse(at) });
    else if (status === 'gone' && machine !== undefined) machine.ended ??= Date.parse(at);
  }
  return [...machines.values()].map(({ instance, begun, ended = now }) => ({ instance, ms: ended - begun }));
}
