import type { ConnectorError } from '../connector/index.ts';
import { dropOrAbort } from '../lifecycle/provisioning.ts';
import type { Decision } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import { whyNowhere } from '../placement/candidates.ts';
import { moveAway } from '../placement/move.ts';
import { machineChange, mustGo } from './ledger.ts';
import { backoffMs, mayLaunchAgain } from './retry.ts';

/**
 * What a failed launch means for one of its instances: another try later, or that it cannot come up.
 * @param random a number in [0, 1)
 */
export function launchFailed(instance: Instance, error: ConnectorError, random: number): Decision {
  return (run, now) => {
    if (instance.machine.status !== 'intended') return [];
    const isFull = error.code === 'capacity' || error.code === 'quota';
    if (isFull) {
      const changes = moveAway(run, instance, error.message, now);
      if (changes !== undefined) return changes;
    }
    const attempts = instance.machine.attempts + 1;
    const again = mayLaunchAgain(error.code, attempts);
    // What may have been launched is looked for until the cloud has answered.
    const retryAt = again || mustGo(run, instance) ? now + backoffMs(attempts, random, error.details.retryAfterMs) : 0;
    const failed = machineChange(instance, { attempts, retryAt, fault: error.message });
    if (again || mustGo(run, instance)) return [failed];
    const hint = error.details.hint === undefined ? '' : ` (${error.details.hint})`;
    const others = isFull ? whyNowhere(run, instance, now) : '';
    const reason = `${instance.name} could not be launched on ${instance.machine.cloud}: ${error.message}${hint}${others}`;
    return [failed, ...dropOrAbort(run, instance, reason, now)];
  };
}
