import { PacelineError, type PlannedParameter, type RunPlan } from '@paceline/model';
import { entryOf } from '../run/entry.ts';
import type { Instance } from '../run/instance.ts';
import type { RunView } from '../run/run.ts';
import { mappedFrom } from './mapping.ts';
import { readMapped, readParameter, type Reading } from './read.ts';
import { storedGlobalNames, storedInstanceNames } from './system.ts';

/**
 * The value of a parameter for the scripts of an instance, which may read secrets only where they are their business.
 * @throws PACELINE_PARAMETER_UNKNOWN, PACELINE_FORBIDDEN for another machine's secret that is not mapped to this one
 */
export function readAs(run: RunView, instance: Instance, written: string): Reading {
  const reading = readParameter(run, written);
  if (maySee(run, instance, reading)) return reading;
  throw notForYou(instance, reading.key);
}

/** Why an instance is not told a secret. */
export function notForYou({ name, node }: Instance, key: string): PacelineError {
  return new PacelineError('PACELINE_FORBIDDEN', `${key} is a secret of another machine, and ${name} may not read it`, {
    hint: `Map it to a parameter of ${node}: \`parameters: { NAME: { from: "${key}" } }\`.`,
  });
}

/** Whether scripts of an instance may see this: no secret, its own, the deployment's, or one that its own parameters follow. */
export function maySee(run: RunView, instance: Instance, { key, secret }: Reading): boolean {
  if (!secret || key.startsWith('ss:') || key.startsWith(`${instance.name}:`)) return true;
  return sourcesOf(run, instance).includes(key);
}

/** The values of all secrets that an instance's scripts may see now. */
export function secretsOf(run: RunView, instance: Instance): string[] {
  const found = new Set<string>();
  // Whatever was declared a secret, or said to be one, is stored as one. What follows something else has no value of its own.
  const look = (key: string): void => {
    const stored = run.parameters.get(key);
    if (stored?.secret) found.add(stored.value);
  };
  for (const [name, { secret, from }] of Object.entries(run.plan.nodes[instance.node]?.parameters ?? {})) {
    const key = `${instance.name}:${name}`;
    const followed = secret && from !== undefined ? readMapped(run, key).value : undefined;
    if (followed === undefined) look(key);
    else found.add(followed);
  }
  for (const name of storedInstanceNames) look(`${instance.name}:${name}`);
  for (const name of [...storedGlobalNames, ...Object.keys(run.plan.globals)]) look(`ss:${name}`);
  for (const key of sourcesOf(run, instance)) look(key);
  return [...found];
}

/** Who comes to know a secret by the setting of this parameter (an instance, or `*` for all of them), and its value. */
export function* secretsBrought(run: RunView, key: string): Generator<{ to: string; value: string }> {
  if (run.parameters.get(key)?.secret || feedsSecret(run.plan, key)) yield* reached(run, key);
}

function* reached(run: RunView, key: string): Generator<{ to: string; value: string }> {
  const { value, secret } = readParameter(run, key);
  if (value === undefined) return;
  const owner = key.slice(0, key.indexOf(':'));
  if (secret) yield { to: owner === 'ss' ? '*' : owner, value };
  for (const { node, name } of mappedFrom(run, key)) {
    for (const instance of run.instances.values()) if (instance.node === node) yield* reached(run, `${instance.name}:${name}`);
  }
}

/** Every parameter of other machines that one of this instance's own follows, at any distance. */
function sourcesOf(run: RunView, instance: Instance): string[] {
  return Object.values(run.plan.nodes[instance.node]?.parameters ?? {}).flatMap(({ from }) => chainOf(run.plan, from));
}

function chainOf(plan: RunPlan, from: string | undefined): string[] {
  const chain: string[] = [];
  for (let key = from; key !== undefined && !chain.includes(key); key = plannedAt(plan, key)?.from) chain.push(key);
  return chain;
}

const secretSources = new WeakMap<RunPlan, Set<string>>();

/** Its own declaration does not call it a secret, but that of a parameter that follows it does. */
function feedsSecret(plan: RunPlan, key: string): boolean {
  let sources = secretSources.get(plan);
  if (sources === undefined) {
    const planned = Object.values(plan.nodes).flatMap(({ parameters }) => Object.values(parameters));
    sources = new Set(planned.flatMap(({ secret, from }) => (secret ? chainOf(plan, from) : [])));
    secretSources.set(plan, sources);
  }
  return sources.has(key);
}

function plannedAt(plan: RunPlan, key: string): PlannedParameter | undefined {
  const [owner = '', name = ''] = key.split(':', 2);
  const node = entryOf(plan.nodes, owner.replace(/\.\d+$/, ''));
  return node && entryOf(node.parameters, name);
}
