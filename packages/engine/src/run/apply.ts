import type { Change } from './change.ts';
import type { RunEvent } from './event.ts';
import type { Instance } from './instance.ts';
import type { Run } from './run.ts';

/**
 * Carries out one change on the run in memory.
 * @returns the event with its number, when the change is one.
 */
export function applyChange(run: Run, change: Change): RunEvent | undefined {
  switch (change.kind) {
    case 'run':
      run.facts = { ...run.facts, ...change.patch };
      return undefined;
    case 'instance':
      Object.assign(instanceOf(run, change.name), change.patch);
      return undefined;
    case 'machine': {
      const instance = instanceOf(run, change.name);
      instance.machine = { ...instance.machine, ...change.patch };
      return undefined;
    }
    case 'parameter':
      if (change.value === null) run.parameters.delete(change.key);
      else run.parameters.set(change.key, { value: change.value, secret: change.secret });
      return undefined;
    case 'log':
    case 'report':
      return undefined;
    case 'event':
      run.facts.lastEvent += 1;
      return { ...change.body, seq: run.facts.lastEvent, at: change.at };
  }
}

/** @throws Error when the run has no such instance: a mistake of ours */
export function instanceOf(run: Run, name: string): Instance {
  const instance = run.instances.get(name);
  if (instance === undefined) throw new Error(`run ${run.id} has no instance ${name}`);
  return instance;
}
