import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';

/** So many ops of one instance make events: a value set every second makes them for a day. */
export const mostTellingOps = 100_000;

const told: ReadonlySet<string> = new Set(['instance.message', 'instance.notice', 'instance.step', 'parameter.set']);

/**
 * What an op changes, without the events that only tell of it once the instance has said too much: the database of a run does not
 * grow as long as a machine talks.
 * @param id of the op, and the last one's before it
 */
export function withBoundedEvents(instance: Instance, changes: Change[], id: number, last: number, now: number): Change[] {
  if (id <= mostTellingOps) return changes;
  const kept = changes.filter((change) => change.kind !== 'event' || !told.has(change.body.type));
  if (last > mostTellingOps) return kept;
  const message = `${instance.name} has changed the run ${mostTellingOps} times; what it sets and says from now on makes no events`;
  const notice: Change = {
    kind: 'event',
    at: now,
    body: { type: 'instance.notice', severity: 'warning', message, data: { instance: instance.name } },
  };
  return [...kept, notice];
}
