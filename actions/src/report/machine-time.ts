import type { EventView } from '@paceline/api';

/** How long the machines of a run were there, each from its launch to its end, together: what clouds charge for. In milliseconds. */
export function machineTime(events: readonly EventView[], now: number): { machines: number; ms: number } {
  const since = new Map<string, number>();
  let ms = 0;
  let machines = 0;
  for (const { type, at, data } of events) {
    if (type !== 'instance.machine' || typeof data['id'] !== 'string') continue;
    const begun = since.get(data['id']);
    if (data['status'] === 'launched' && begun === undefined) {
      since.set(data['id'], Date.parse(at));
      machines += 1;
    } else if (data['status'] === 'gone' && begun !== undefined) {
      ms += Date.parse(at) - begun;
      since.delete(data['id']);
    }
  }
  for (const begun of since.values()) ms += now - begun;
  return { machines, ms };
}
