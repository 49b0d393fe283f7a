import type { ParameterFacts } from './parameter-facts.ts';
import type { Step, Timeline } from './timeline.ts';

/** Machines that wait for each other: each step waits for a value that the machine of the next one sets, later. */
export interface Deadlock {
  /** `key` is the one that is waited for, or the one that it follows in the end. */
  links: { waits: Step; key: string; setter: Step }[];
  /** Every wait happens in any case; otherwise only when certain branches are taken. */
  certain: boolean;
}

/**
 * Runs the timelines of all instances in the mind: a set makes its key readable, a get waits for it. Whoever still
 * waits when nobody can go on is in a deadlock. Values only ever appear, so the order of play does not matter.
 * @param isSetAnyway keys that the scripts need not set: given, or missing altogether and reported as such
 */
export function findDeadlocks(timelines: readonly Timeline[], facts: ParameterFacts, isSetAnyway: (key: string) => boolean): Deadlock[] {
  const certain = play(timelines, facts, isSetAnyway, ({ call }) => !call.conditional);
  if (certain.length > 0) return certain.map((links) => ({ links, certain: true }));
  // In a branch, an instance that waits for itself is most likely another one: "if I am not the first".
  const perhaps = play(
    timelines,
    facts,
    isSetAnyway,
    ({ call, keys, instance }) => !(call.conditional && keys.some((key) => facts.chain(key).at(-1)?.startsWith(`${instance}:`))),
  );
  return perhaps.map((links) => ({ links, certain: false }));
}

function play(
  timelines: readonly Timeline[],
  facts: ParameterFacts,
  isSetAnyway: (key: string) => boolean,
  waits: (step: Step) => boolean,
): Deadlock['links'][] {
  const values = new Set<string>();
  const readable = (key: string): boolean => facts.chain(key).some((one) => values.has(one) || isSetAnyway(one));
  const missing = (step: Step): string | undefined => {
    if (!step.call.blocking || step.call.tolerant || step.call.possible || !waits(step)) return undefined;
    return step.keys.find((key) => !readable(key));
  };
  /** Sets that are not reached, with the wait before them. */
  let held = new Map<Step, Step>();
  let blocked: Step[] = [];

  const hold = (timeline: Timeline, by: Step): void => forEachStep(timeline, (step) => void (held.has(step) || held.set(step, by)));
  /** Goes as far as possible; returns the wait that it ended at. */
  const run = (timeline: Timeline): Step | undefined => {
    switch (timeline.kind) {
      case 'step': {
        const { step } = timeline;
        if (step.call.command === 'ss-set' || step.call.command === 'ss-random') for (const key of step.keys) values.add(key);
        if (missing(step) === undefined) return undefined;
        blocked.push(step);
        return step;
      }
      case 'sequence': {
        for (const [index, one] of timeline.steps.entries()) {
          const stop = run(one);
          if (stop === undefined) continue;
          for (const rest of timeline.steps.slice(index + 1)) hold(rest, stop);
          return stop;
        }
        return undefined;
      }
      case 'together':
        return timeline.parts.map(run).find((stop) => stop !== undefined);
      case 'choice': {
        const stops = timeline.branches.map(run);
        return stops.every((stop) => stop !== undefined) ? stops[0] : undefined;
      }
      case 'background':
        run(timeline.body);
        return undefined;
    }
  };
  for (let before = -1; before !== values.size;) {
    before = values.size;
    held = new Map();
    blocked = [];
    for (const timeline of timelines) run(timeline);
  }
  return circles(blocked, held, facts, missing);
}

/** Follows each wait to a set that it needs and on to the wait that holds that set back, until it comes round. */
function circles(
  blocked: readonly Step[],
  held: ReadonlyMap<Step, Step>,
  facts: ParameterFacts,
  missing: (step: Step) => string | undefined,
): Deadlock['links'][] {
  const found: Deadlock['links'][] = [];
  const seen = new Set<Step>();
  for (const start of blocked) {
    const way: Deadlock['links'] = [];
    let waits: Step | undefined = start;
    while (waits !== undefined && !seen.has(waits)) {
      seen.add(waits);
      const key = missing(waits);
      if (key === undefined) break;
      const keys = new Set(facts.chain(key));
      const setters = [...held].filter(
        ([step]) => (step.call.command === 'ss-set' || step.call.command === 'ss-random') && step.keys.some((one) => keys.has(one)),
      );
      const [setter, holder] = setters[0] ?? [];
      if (setter === undefined) break;
      way.push({ waits, key: facts.chain(key).at(-1) ?? key, setter });
      waits = holder;
    }
    const turn = way.findIndex((link) => link.waits === waits);
    if (turn !== -1) found.push(way.slice(turn));
  }
  return found;
}

function forEachStep(timeline: Timeline, visit: (step: Step) => void): void {
  if (timeline.kind === 'step') return visit(timeline.step);
  const inner =
    timeline.kind === 'sequence'
      ? timeline.steps
      : timeline.kind === 'together'
        ? timeline.parts
        : timeline.kind === 'choice'
          ? timeline.branches
          : [timeline.body];
  for (const one of inner) forEachStep(one, visit);
}
