import { sha256 } from '../run/script-digest.ts';
import { firstWaitedFor } from '../lifecycle/barrier.ts';
import { cloudsLeft } from '../placement/candidates.ts';
import type { Change } from '../run/change.ts';
import type { Instance, MachineEntry } from '../run/instance.ts';
import type { Run } from '../run/run.ts';

/** The machine of a dropped instance, or of a run that is ending, has to go. */
export function mustGo(run: Run, instance: Instance): boolean {
  return instance.dropped || run.facts.outcome !== null;
}

/**
 * The ledger entries that can be written without asking a cloud: intents for the machines that are wanted, and the end of those
 * that were never asked for. An intent is stored before the cloud hears of it.
 */
export function ledgerChanges(run: Run): Change[] {
  const { state, abort, outcome } = run.facts;
  if (maySweep(run) && cloudsOf(run).length === 0) return [{ kind: 'run', patch: { swept: true } }];
  const starting = state === 'Provisioning' && abort === null && outcome === null;
  if (!starting && outcome === null && state !== 'Provisioning') return [];
  const tokens = new Map<string, string>();
  const changes: Change[] = [];
  for (const instance of run.instances.values()) {
    if (instance.machine.status !== 'wanted') continue;
    if (mustGo(run, instance)) changes.push(machineChange(instance, { status: 'gone' }));
    else if (starting) changes.push(machineChange(instance, { status: 'intended', token: tokenOf(run, instance, tokens) }));
  }
  return changes;
}

/** One token for all instances of a node that are launched together on one cloud, the same whenever this launch is thought of again. */
function tokenOf(run: Run, instance: Instance, tokens: Map<string, string>): string {
  const { cloud } = instance.machine;
  const key = `${instance.node} ${cloud}`;
  let token = tokens.get(key);
  if (token === undefined) {
    token = sha256(`launch ${run.id} ${instance.name} ${cloud}`).slice(0, 32);
    tokens.set(key, token);
  }
  return token;
}

/** A patch of one instance's ledger entry. */
export function machineChange(instance: Instance, patch: Partial<MachineEntry>): Change {
  return { kind: 'machine', name: instance.name, patch };
}

/** The cloud has never heard of the machine that was intended: it need not be asked whether there is anything. */
export function neverAskedFor(instance: Instance): Change {
  return machineChange(instance, { status: 'gone', token: '', attempts: 0 });
}

/** All machines that the ledger knows are gone: what is still there is there by a launch that nobody heard the end of. */
export function maySweep(run: Run): boolean {
  const { state, swept } = run.facts;
  return state === 'Finalizing' && !swept && firstWaitedFor(run) === undefined;
}

/** The clouds that have been asked for anything. */
export function cloudsOf(run: Run): string[] {
  const asked = (instance: Instance): string[] => [
    ...cloudsLeft(run, instance),
    ...(instance.machine.token === '' ? [] : [instance.machine.cloud]),
  ];
  return [...new Set([...run.instances.values()].flatMap(asked))];
}

/** A launch may be begun, or tried again: later the run goes on without. */
export function mayLaunch(run: Run): boolean {
  const { state, abort, outcome } = run.facts;
  return state === 'Provisioning' && abort === null && outcome === null;
}
