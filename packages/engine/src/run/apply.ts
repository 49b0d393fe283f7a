import type { Change } from './change.ts';
import type { RunEvent } from './event.ts';
import type { Instance } from './instance.ts';
import type { Run } from './run.ts';

const versions = new WeakMap<Run, number>();
/** What no parameter shows. */
const silent: ReadonlySet<string> = new Set(['lastOp', 'refusals', 'told', 'alarms', 'tookHostKey', 'step'] satisfies (keyof Instance)[]);

/** As long as it is the same, so is the value of every parameter. */
export function versionOf(run: Run): number {
  return versions.get(run) ?? 0;
}

function isSilent(change: Change): boolean {
  if (change.kind === 'instance') return Object.keys(change.patch).every((name) => silent.has(name));
  return ['event', 'log', 'report', 'image'].includes(change.kind);
}

/**
 * Carries out one change on the run in memory.
 * @returns the event with its number, when the change is one.
 */
export function applyChange(run: Run, change: Change): RunEvent | undefined {
  if (!isSilent(change)) versions.set(run, versionOf(run) + 1);
  switch (change.kind) {
    case 'run':
      run.facts = { ...run.facts, ...change.patch };
      return undefined;
    case 'newcomer':
      run.instances.set(change.instance.name, change.instance);
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
    case 'image':
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
