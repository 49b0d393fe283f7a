import { PacelineError } from '@paceline/model';
import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { abortChanges } from '../lifecycle/abort.ts';
import type { ConnectorError } from '../connector/index.ts';
import { entryOf } from '../run/entry.ts';
import type { Clouds } from './clouds.ts';
import { machineChange } from './ledger.ts';
import { backoffMs, isTransient } from './retry.ts';

/** @throws PACELINE_REQUEST_INVALID when the cloud of a node cannot resize machines */
export function refuseWithoutResize({ plan }: Run, node: string, clouds: Clouds): void {
  const cloud = entryOf(plan.nodes, node)?.cloud;
  if (cloud === undefined || clouds.find(cloud)?.connector.resize !== undefined) return;
  throw new PacelineError('PACELINE_REQUEST_INVALID', `The cloud ${cloud} cannot resize machines`, {
    hint: 'Add machines instead, or start the run with larger ones.',
  });
}

/** The cloud has given a machine the size that was wanted. */
export function resized({ machine, name }: Instance): Change[] {
  if (machine.wantedSize === null) return [];
  return [
    {
      kind: 'machine',
      name,
      patch: { size: { ...machine.size, ...machine.wantedSize }, wantedSize: null, attempts: 0, retryAt: 0, fault: null },
    },
    { kind: 'parameter', key: `${name}:scale.iaas.done`, value: 'true', secret: false },
  ];
}

/** @param random a number in [0, 1) */
export function resizeFailed(
  run: Run,
  instance: Instance,
  { code, message, details }: ConnectorError,
  random: number,
  now: number,
): Change[] {
  if (instance.machine.wantedSize === null) return [];
  const attempts = instance.machine.attempts + 1;
  const retryAt = now + backoffMs(attempts, random, details.retryAfterMs);
  if (isTransient(code)) return [machineChange(instance, { attempts, retryAt, fault: message })];
  const reason = `${instance.name} could not be resized on ${instance.machine.cloud}: ${message}`;
  return [
    machineChange(instance, { wantedSize: null, attempts: 0, retryAt: 0, fault: message }),
    ...abortChanges(run, `${instance.name}:abort`, reason, now),
  ];
}
