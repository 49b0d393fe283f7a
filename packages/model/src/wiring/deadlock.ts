import { type Escape, isSet } from './flow.ts';
import type { ParameterFacts } from './parameter-facts.ts';
import { type Rehearsal, rehearse } from './rehearsal.ts';
import type { Step, Timeline } from './timeline.ts';

/** Machines that wait for each other: each step waits for a value that the machine of the next one sets, later. */
export interface Deadlock {
  /** `key` is the one that is waited for, or the one that it follows in the end. */
  links: { waits: Step; key: string; setter: Step }[];
  /** Every run comes to it, and never gets out; gets out when the time of a wait is over; or only some runs come to it. */
  lasts: 'for-ever' | 'until-timeout' | 'perhaps';
}

/**
 * Finds machines that wait for each other. It is certain when even those get stuck who wait only where every run has to, while
 * everything counts that could ever bring a value. Where nobody does, all waits count that are not handled.
 * @param isSetAnyway keys that the scripts need not set: given, or missing altogether and reported as such
 */
export function findDeadlocks(timelines: readonly Timeline[], facts: ParameterFacts, isSetAnyway: (key: string) => boolean): Deadlock[] {
  const chain = memo((key) => facts.chain(key));
  const levels: readonly [Deadlock['lasts'], readonly Escape[]][] = [
    ['for-ever', ['none']],
    ['until-timeout', ['none', 'timeout']],
  ];
  for (const [lasts, escapes] of levels) {
    const rehearsal = rehearse(timelines, {
      chain,
      isThere: (key) => isSetAnyway(key) || facts.mayBeGiven(key),
      waits: ({ call, instance }) => escapes.includes(call.escape) && facts.isCertain(instance),
      trusts: () => true,
    });
    const found = circles(rehearsal, chain).map((links) => ({ links, lasts }));
    if (found.length > 0) return found;
  }
  // In a branch, an instance that waits for itself is most likely another one: "if I am not the first".
  const isOwn = ({ keys, instance }: Step): boolean => keys.some((key) => chain(key).at(-1)?.startsWith(`${instance}:`));
  const rehearsal = rehearse(timelines, {
    chain,
    isThere: isSetAnyway,
    waits: (step) => !step.call.tolerant && !step.call.possible && !(step.call.conditional && isOwn(step)),
    trusts: ({ sets }) => sets === 'own' || sets === 'any',
  });
  return circles(rehearsal, chain).map((links) => ({ links, lasts: 'perhaps' }));
}

/** Follows each wait to a set that it needs and on to the wait that holds that set back, until it comes round. */
function circles({ blocked, held, missing }: Rehearsal, chain: (key: string) => readonly string[]): Deadlock['links'][] {
  const setters = new Map<string, Step>();
  for (const step of held.keys()) if (isSet(step.call)) for (const key of step.keys) if (!setters.has(key)) setters.set(key, step);
  const found = new Map<string, Deadlock['links']>();
  const seen = new Set<Step>();
  for (const start of blocked) {
    const way: Deadlock['links'] = [];
    let waits: Step | undefined = start;
    while (waits !== undefined && !seen.has(waits)) {
      seen.add(waits);
      const keys = chain(missing(waits) ?? '');
      const key = keys.findLast((one) => setters.has(one));
      const setter = key === undefined ? undefined : setters.get(key);
      if (key === undefined || setter === undefined) break;
      way.push({ waits, key, setter });
      waits = held.get(setter);
    }
    const turn = way.findIndex((link) => link.waits === waits);
    const links = turn === -1 ? [] : way.slice(turn);
    // The machines of a node are all in the same circle, each in its own: one of them is enough.
    const places = links
      .map(({ waits: { script, call } }) => `${script.path} ${call.range[0]}`)
      .sort()
      .join('\n');
    if (links.length > 0 && !found.has(places)) found.set(places, links);
  }
  return [...found.values()];
}

function memo<T>(work: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    const value = known.get(key) ?? work(key);
    known.set(key, value);
    return value;
  };
}
