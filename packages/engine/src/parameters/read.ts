import { PacelineError, type PlannedParameter } from '@paceline/model';
import { entryOf } from '../run/entry.ts';
import type { RunView } from '../run/run.ts';
import { locate, type Location } from './location.ts';
import { globalValues, instanceValues, neverBlocking, nodeValues, storedGlobalNames, storedInstanceNames } from './system.ts';

export interface Reading {
  /** The full key, such as `apache.1:port`. */
  key: string;
  /** Undefined when it has no value yet. */
  value: string | undefined;
  secret: boolean;
  /** The keys on whose setting a reader has to look again: the parameter itself and what it is mapped from. */
  sources: string[];
}

/**
 * The value of a parameter now, through its mapping when it has no value of its own.
 * @throws PACELINE_PARAMETER_UNKNOWN when the run does not declare it
 */
export function readParameter(run: RunView, written: string): Reading {
  const location = locate(run, written);
  if (location === undefined || !isDeclared(run, location)) throw unknownParameter(written);
  const { key, name } = location;
  const derived = derivedValue(run, location);
  if (derived !== undefined) {
    const value = derived === '' && !neverBlocking.has(name) ? undefined : derived;
    return { key, value, secret: false, sources: [key] };
  }
  const secret = declaredSecret(run, location);
  const own = run.parameters.get(key);
  if (own !== undefined) return { key, value: own.value, secret: secret || own.secret, sources: [key] };
  const from = planned(run, location)?.from;
  if (from === undefined) return { key, value: undefined, secret, sources: [key] };
  const source = readMapped(run, from);
  return { key, value: source.value, secret: secret || source.secret, sources: [key, ...source.sources] };
}

/** What is mapped may be of an instance that does not exist, or not yet: a node of none. It has no value then. */
export function readMapped(run: RunView, from: string): Reading {
  const location = locate(run, from);
  if (location !== undefined && isDeclared(run, location)) return readParameter(run, from);
  return { key: from, value: undefined, secret: false, sources: [from] };
}

export function unknownParameter(written: string): PacelineError {
  return new PacelineError('PACELINE_PARAMETER_UNKNOWN', `Unknown key ${written}`, {
    hint: 'Declare it under `parameters:` of the image, or of the deployment for `ss:` keys.',
  });
}

export function isDeclared(run: RunView, location: Location): boolean {
  const { name } = location;
  switch (location.scope) {
    case 'global':
      return Object.hasOwn(globalValues, name) || storedGlobalNames.has(name) || planned(run, location) !== undefined;
    case 'node':
      return true;
    case 'instance':
      if (run.plan.category === 'Image' && (name === 'nodename' || name === 'id')) return false;
      return Object.hasOwn(instanceValues, name) || storedInstanceNames.has(name) || planned(run, location) !== undefined;
  }
}

function derivedValue(run: RunView, location: Location): string | undefined {
  const { name } = location;
  switch (location.scope) {
    case 'global':
      return entryOf(globalValues, name)?.(run);
    case 'node':
      return entryOf(nodeValues, name)?.(run, location.node);
    case 'instance':
      return entryOf(instanceValues, name)?.(run, location.instance);
  }
}

export function declaredSecret(run: RunView, location: Location): boolean {
  return planned(run, location)?.secret ?? false;
}

/** What the run's modules say of a parameter; system parameters are not theirs. */
export function planned(run: RunView, location: Location): PlannedParameter | undefined {
  if (location.scope === 'node') return undefined;
  const declared = location.scope === 'global' ? run.plan.globals : run.plan.nodes[location.instance.node]?.parameters;
  return declared && entryOf(declared, location.name);
}
