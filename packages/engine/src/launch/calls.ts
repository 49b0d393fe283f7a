import { hasJoined, type Instance } from '../run/instance.ts';
import { hasEnded, type Run } from '../run/run.ts';
import { isImageMissing } from '../lifecycle/policy.ts';
import { cloudsOf, mayLaunch, maySweep, mustGo } from './ledger.ts';

/** One call to a cloud that the ledger asks for. */
export interface Call {
  kind: 'launch' | 'terminate' | 'describe' | 'alter' | 'createImage' | 'sweep';
  /** Two calls of one key never run at the same time. */
  key: string;
  cloud: string;
  instances: Instance[];
  /** The moment from which it may be made, such as when the first of its instances may be tried again. */
  at: number;
}

/** Whether a call has to wait until an earlier one, which may hang, can make nothing any more: it would miss it, or make it again. */
export function needsOrder({ kind }: Call): boolean {
  return kind !== 'describe' && kind !== 'terminate';
}

/**
 * All calls that a run's ledger asks for, whatever the time. A launch token's machines go together, so that they can be looked up
 * together; otherwise a cloud's machines do.
 */
export function wantedCalls(run: Run): Call[] {
  if (hasEnded(run)) return [];
  if (maySweep(run)) return cloudsOf(run).map((cloud) => ({ kind: 'sweep', key: `sweep ${cloud}`, cloud, instances: [], at: 0 }));
  const calls = new Map<string, Call>();
  for (const instance of run.instances.values()) {
    const kind = wantedOf(run, instance);
    if (kind === undefined) continue;
    const { cloud, token, retryAt } = instance.machine;
    const key = kind === 'launch' ? `launch ${token}` : `${kind} ${cloud}`;
    const call = calls.get(key);
    if (call === undefined) calls.set(key, { kind, key, cloud, instances: [instance], at: retryAt });
    else {
      call.instances.push(instance);
      call.at = Math.min(call.at, retryAt);
    }
  }
  return [...calls.values()];
}

function wantedOf(run: Run, instance: Instance): Exclude<Call['kind'], 'sweep'> | undefined {
  const { status, address } = instance.machine;
  const going = mustGo(run, instance);
  switch (status) {
    case 'intended':
      // What may have been launched has to be found before it can be ended.
      return going || mayLaunch(run) ? 'launch' : undefined;
    case 'launched':
      if (going) return 'terminate';
      if (instance.machine.wanted !== null) return 'alter';
      if (run.facts.state === 'Ready' && isImageMissing(run)) return 'createImage';
      return (address === null || !hasJoined(instance)) && instance.machine.cloudState !== 'lost' ? 'describe' : undefined;
    case 'terminating':
      return 'terminate';
    default:
      return undefined;
  }
}
