import type { ConnectorError } from '../connector/index.ts';
import { abortChanges } from '../lifecycle/abort.ts';
import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { machineChange } from './ledger.ts';
import { backoffMs, isTransient } from './retry.ts';

/** The name of the image that a build run makes: whoever looks finds it again after a crash. */
export function imageName({ id, plan }: Run): string {
  return `paceline-${plan.build?.digest.slice(0, 16) ?? ''}-${id.slice(0, 8)}`;
}

/** The image is there, and is in the store. */
export function imageMade(instance: Instance, image: string, now: number): Change[] {
  if (instance.machine.madeImage !== null) return [];
  const { name } = instance;
  return [
    machineChange(instance, { madeImage: image, attempts: 0, retryAt: 0, fault: null }),
    {
      kind: 'event',
      at: now,
      body: { type: 'instance.notice', severity: 'info', message: `${name}: image ${image} is made`, data: { instance: name } },
    },
  ];
}

/** @param random a number in [0, 1) */
export function imageFailed(
  run: Run,
  instance: Instance,
  { code, message, details }: ConnectorError,
  random: number,
  now: number,
): Change[] {
  const attempts = instance.machine.attempts + 1;
  const retryAt = now + backoffMs(attempts, random, details.retryAfterMs);
  if (isTransient(code)) return [machineChange(instance, { attempts, retryAt, fault: message })];
  const reason = `No image could be made of ${instance.name} on ${instance.machine.cloud}: ${message}`;
  return [
    machineChange(instance, { attempts: 0, retryAt: 0, fault: message }),
    ...abortChanges(run, `${instance.name}:abort`, reason, now),
  ];
}
