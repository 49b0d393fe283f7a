import type { ConnectorError } from '../connector/index.ts';
import type { Decision } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import { machineChange } from './ledger.ts';
import { backoffMs } from './retry.ts';

/** A cloud does not end a machine, now: it is asked again later, for ever. @param random a number in [0, 1) */
export function endRefused(instance: Instance, { message, details }: ConnectorError, random: number): Decision {
  return (_run, now) => {
    const attempts = instance.machine.attempts + 1;
    return [machineChange(instance, { attempts, fault: message, retryAt: now + backoffMs(attempts, random, details.retryAfterMs) })];
  };
}
