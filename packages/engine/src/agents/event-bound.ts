import type { Change } from '../run/change.ts';
import type { EventBody } from '../run/event.ts';
import type { Instance } from '../run/instance.ts';

/** What is stored of the events that one instance makes, in characters: a value set every second makes so many in more than a day. */
export const mostTold = 32 * 1024 * 1024;
/** Beyond that its aborts are told, in characters. */
export const abortReserve = 4 * 1024 * 1024;
/** What an event costs beside its text, in characters. */
const eventSize = 100;

const limits: Partial<Record<EventBody['type'], number>> = {
  'instance.message': mostTold,
  'instance.notice': mostTold,
  'instance.step': mostTold,
  'parameter.set': mostTold,
  'run.abort': mostTold + abortReserve,
  'run.abort-cancelled': mostTold + abortReserve,
};

/**
 * What an instance changes, without the events that only tell of it once it has said too much: the database of a run does not grow
 * as long as a machine talks.
 */
export function withBoundedEvents(instance: Instance, changes: Change[], now: number): Change[] {
  const { name, told: before } = instance;
  let told = before;
  const kept = changes.filter((change) => {
    if (change.kind !== 'event') return true;
    const limit = limits[change.body.type];
    if (limit === undefined) return true;
    if (told >= limit) return false;
    told += JSON.stringify(change.body).length + eventSize;
    return true;
  });
  if (told === before) return kept;
  const patch: Change = { kind: 'instance', name, patch: { told } };
  if (before >= mostTold || told < mostTold) return [...kept, patch];
  const message = `${name} has told too much; what it sets and says from now on makes no events`;
  return [
    ...kept,
    patch,
    { kind: 'event', at: now, body: { type: 'instance.notice', severity: 'warning', message, data: { instance: name } } },
  ];
}
