import type { ConnectorError, MachineImage } from '../connector/index.ts';
import { abortChanges } from '../lifecycle/abort.ts';
import { isImageMissing } from '../lifecycle/policy.ts';
import type { Change } from '../run/change.ts';
import { entryOf } from '../run/entry.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { machineChange } from './ledger.ts';
import { backoffMs, isTransient } from './retry.ts';

/** The name of the image that a build run makes: whoever looks finds it again after a crash. */
export function imageName({ id, plan }: Run): string {
  return `paceline-${plan.build?.digest.slice(0, 16) ?? ''}-${id.slice(0, 8)}`;
}

/** What has been made for a run that is ending is removed with the rest of it. */
export function wantsImage(run: Run): boolean {
  return run.facts.outcome === null && isImageMissing(run);
}

/** The image is there. That the run has it, and that others can boot it, is stored at once: what is only half known would be removed. */
export function imageMade(run: Run, instance: Instance, { image, id }: MachineImage, now: number): Change[] {
  const { name, node, machine } = instance;
  const { build, nodes } = run.plan;
  const planned = nodes[node];
  if (build === undefined || planned === undefined || !wantsImage(run)) return [];
  const { cloud, login } = machine;
  const account = entryOf(run.facts.accounts, cloud) ?? null;
  const { digest, recipe = digest } = build;
  const made = { cloud, account, digest, recipe, module: planned.image.module, image, resource: id, login };
  return [
    { kind: 'image', image: { ...made, run: run.id, project: run.project, madeAt: now, usedAt: now, pinned: false, lostAt: null } },
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
  if (!wantsImage(run)) return [];
  const attempts = instance.machine.attempts + 1;
  const retryAt = now + backoffMs(attempts, random, details.retryAfterMs);
  if (isTransient(code)) return [machineChange(instance, { attempts, retryAt, fault: message })];
  const reason = `No image could be made of ${instance.name} on ${instance.machine.cloud}: ${message}`;
  return [
    machineChange(instance, { attempts: 0, retryAt: 0, fault: message }),
    ...abortChanges(run, `${instance.name}:abort`, reason, now),
  ];
}
