import { instanceName, type InstanceRef } from '../parameters/key.ts';
import type { Script } from '../resolved/image.ts';
import type { Call, Flow, UnreadSets } from './flow.ts';
import type { ParameterFacts } from './parameter-facts.ts';
import { blockingPhases, type RecipeScript } from './recipes.ts';

/** A call on a certain instance, with the full keys that it means there. */
export interface Step {
  instance: string;
  call: Call;
  script: Script;
  keys: readonly string[];
}

/** The flow of an instance from its first script to the barrier after `deploy`. */
export type Timeline =
  | { kind: 'step'; step: Step }
  | { kind: 'unread'; instance: string; sets: UnreadSets }
  | { kind: 'sequence'; steps: readonly Timeline[] }
  | { kind: 'together'; parts: readonly Timeline[] }
  | { kind: 'choice'; branches: readonly Timeline[] }
  | { kind: 'background'; body: Timeline };

/** What an instance does, as far as it can be read. Calls with keys that do not exist are left out. */
export function timelineOf(me: InstanceRef, recipe: readonly RecipeScript[], facts: ParameterFacts): Timeline {
  const scripts = recipe.filter(({ phase }) => blockingPhases.includes(phase));
  return { kind: 'sequence', steps: scripts.map(({ parsed, script }) => place(parsed.flow, script, me, facts)) };
}

function place(flow: Flow, script: Script, me: InstanceRef, facts: ParameterFacts): Timeline {
  const inner = (one: Flow): Timeline => place(one, script, me, facts);
  switch (flow.kind) {
    case 'call': {
      const finding = facts.wrong(flow.call, me);
      if (finding !== undefined && finding.severity !== 'warning') return { kind: 'sequence', steps: [] };
      return {
        kind: 'step',
        step: { instance: instanceName(me), call: flow.call, script, keys: facts.keysOf(flow.call, me) },
      };
    }
    case 'unread':
      return { kind: 'unread', instance: instanceName(me), sets: flow.sets };
    case 'sequence':
      return { kind: 'sequence', steps: flow.steps.map(inner) };
    case 'together':
      return { kind: 'together', parts: flow.parts.map(inner) };
    case 'choice':
      return { kind: 'choice', branches: flow.branches.map(inner) };
    case 'background':
      return { kind: 'background', body: inner(flow.body) };
  }
}

/** Every step of a timeline, in the order of the scripts. */
export function stepsOf(timeline: Timeline): Step[] {
  switch (timeline.kind) {
    case 'step':
      return [timeline.step];
    case 'unread':
      return [];
    case 'sequence':
      return timeline.steps.flatMap(stepsOf);
    case 'together':
      return timeline.parts.flatMap(stepsOf);
    case 'choice':
      return timeline.branches.flatMap(stepsOf);
    case 'background':
      return stepsOf(timeline.body);
  }
}
