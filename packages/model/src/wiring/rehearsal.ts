import { isSet } from './flow.ts';
import { type Step, stepsOf, type Timeline } from './timeline.ts';

type Unread = Extract<Timeline, { kind: 'unread' }>;

/** What a rehearsal goes by. */
export interface Rules {
  /** Whether somebody who comes to this step waits there when its value is missing. */
  waits: (step: Step) => boolean;
  /** The key itself, the one that it follows by a mapping, and so on. */
  chain: (key: string) => readonly string[];
  /** Readable from the start. */
  isThere: (key: string) => boolean;
  /** Whether something that cannot be read is taken to set whatever it may. */
  trusts: (unread: Unread) => boolean;
}

/** How far the machines of a run get at most. */
export interface Rehearsal {
  /** The steps at which somebody waits for ever. */
  blocked: readonly Step[];
  /** Sets that are never reached, with the wait before them. */
  held: ReadonlyMap<Step, Step>;
  /** The first key that a step lacks. */
  missing: (step: Step) => string | undefined;
}

/**
 * Runs the timelines of all instances in the mind: a set makes its key readable, a get waits for it. Branches are all taken and
 * values only ever appear, so that the order of play does not matter: nobody gets further than here.
 */
export function rehearse(timelines: readonly Timeline[], rules: Rules): Rehearsal {
  const values = new Values(rules);
  const stages = new Map<Timeline, Stage>();
  const next = new Set(timelines);
  for (const timeline of next) {
    next.delete(timeline);
    const stage = perform(timeline, values, rules.waits);
    stages.set(timeline, stage);
    for (const step of stage.blocked) {
      const key = values.missing(step);
      // What was missing came from the same machine a little later.
      if (key === undefined) next.add(timeline);
      else values.await(key, timeline);
    }
    for (const awake of values.woken()) next.add(awake);
  }
  const all = [...stages.values()];
  return {
    blocked: all.flatMap(({ blocked }) => blocked),
    held: new Map(all.flatMap(({ held }) => [...held])),
    missing: (step) => values.missing(step),
  };
}

/** The values that have been set so far, and who waits for others. */
class Values {
  readonly #rules: Rules;
  readonly #set = new Set<string>();
  /** Machines with something that may have set anything. */
  readonly #open = new Set<string>();
  readonly #waiting = new Map<string, Set<Timeline>>();
  #woken = new Set<Timeline>();

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** The first key that a step lacks. */
  missing({ keys }: Step): string | undefined {
    return keys.find((key) => !this.#rules.chain(key).some((one) => this.#has(one)));
  }

  set(key: string): void {
    if (this.#set.has(key)) return;
    this.#set.add(key);
    for (const timeline of this.#waiting.get(key) ?? []) this.#woken.add(timeline);
    this.#waiting.delete(key);
  }

  open(unread: Unread): void {
    const machine = unread.sets === 'any' || unread.sets === 'hardly-any' ? '*' : unread.instance;
    if (this.#open.has(machine) || !this.#rules.trusts(unread)) return;
    this.#open.add(machine);
    for (const timelines of this.#waiting.values()) for (const timeline of timelines) this.#woken.add(timeline);
    this.#waiting.clear();
  }

  /** The timeline is to be played again when the key can be read. */
  await(key: string, timeline: Timeline): void {
    for (const one of this.#rules.chain(key)) {
      const waiting = this.#waiting.get(one) ?? new Set();
      this.#waiting.set(one, waiting.add(timeline));
    }
  }

  woken(): Iterable<Timeline> {
    const woken = this.#woken;
    this.#woken = new Set();
    return woken;
  }

  #has(key: string): boolean {
    if (this.#set.has(key) || this.#rules.isThere(key) || this.#open.has('*')) return true;
    const owner = key.slice(0, key.indexOf(':'));
    return owner === 'ss' ? this.#open.size > 0 : this.#open.has(owner);
  }
}

/** Where a timeline has stopped. */
interface Stage {
  blocked: Step[];
  held: Map<Step, Step>;
}

/** Plays a timeline from its beginning as far as it goes with the values of now. */
function perform(timeline: Timeline, values: Values, waits: Rules['waits']): Stage {
  const blocked: Step[] = [];
  const held = new Map<Step, Step>();
  /** Returns the wait that it ended at. */
  const play = (part: Timeline): Step | undefined => {
    switch (part.kind) {
      case 'step': {
        const { step } = part;
        if (isSet(step.call)) for (const key of step.keys) values.set(key);
        if (!step.call.blocking || !waits(step) || values.missing(step) === undefined) return undefined;
        blocked.push(step);
        return step;
      }
      case 'unread':
        values.open(part);
        return undefined;
      case 'sequence': {
        for (const [index, one] of part.steps.entries()) {
          const stop = play(one);
          if (stop === undefined) continue;
          for (const rest of part.steps.slice(index + 1)) for (const step of stepsOf(rest)) if (!held.has(step)) held.set(step, stop);
          return stop;
        }
        return undefined;
      }
      case 'together':
        return part.parts.map(play).find((stop) => stop !== undefined);
      case 'choice': {
        const stops = part.branches.map(play);
        return stops.every((stop) => stop !== undefined) ? stops[0] : undefined;
      }
      case 'background':
        play(part.body);
        return undefined;
    }
  };
  play(timeline);
  return { blocked, held };
}
