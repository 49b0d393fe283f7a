import { timingSafeEqual } from 'node:crypto';
import type { JoinRequest } from '@paceline/api/agent';
import { PacelineError } from '@paceline/model';
import { joinSecret } from '../bootstrap/secrets.ts';
import { bootDeadline } from '../lifecycle/deadlines.ts';
import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import { hasEnded, type Run } from '../run/run.ts';

/** What a join means: the spending of the secret, nothing or a new host key (it was this agent's join, repeated), or an alarm. */
export type JoinDecision = { changes: Change[]; refused?: PacelineError };

/**
 * Decides whether a machine may join. The secret is good once: for the key that came with it first. The same secret with another
 * key means that somebody else has read the user data.
 */
export function decideJoin(run: Run, instance: Instance, request: JoinRequest, engineKey: Buffer, now: number): JoinDecision {
  const expected = Buffer.from(joinSecret(engineKey, run.id, instance.name, instance.machine.token));
  const given = Buffer.from(request.secret);
  const known = instance.machine.token !== '' && given.length === expected.length && timingSafeEqual(given, expected);
  if (!known) return refusal(instance, 'its secret is not the one that was given to this machine', now);
  if (instance.keyHash === request.keyHash) return { changes: hostKeyTaken(instance, request) };
  if (instance.keyHash !== null) {
    return refusal(instance, 'its secret has been spent already: somebody else has read the user data of this machine', now);
  }
  if (hasEnded(run) || run.facts.outcome !== null || instance.dropped)
    return refusal(instance, 'the run does not wait for it any more', now);
  const deadline = bootDeadline(run, instance);
  if (deadline !== undefined && now >= deadline) return refusal(instance, 'its secret has expired', now);
  return {
    changes: [
      { kind: 'instance', name: instance.name, patch: { keyHash: request.keyHash, joinedAt: now, bootId: request.bootId } },
      {
        kind: 'event',
        at: now,
        body: { type: 'instance.joined', severity: 'info', message: `${instance.name} has joined`, data: { instance: instance.name } },
      },
    ],
  };
}

function hostKeyTaken({ name, tookHostKey }: Instance, request: JoinRequest): Change[] {
  return request.tookHostKey && !tookHostKey ? [{ kind: 'instance', name, patch: { tookHostKey: true } }] : [];
}

/** Of one instance: whoever tries needs no key, and may try as long as the run lasts. */
const mostAlarms = 100;

function refusal({ name, alarms: before }: Instance, why: string, now: number): JoinDecision {
  const message = `A machine tried to join as ${name} and was refused: ${why}`;
  const refused = new PacelineError('PACELINE_JOIN_REFUSED', message);
  if (before >= mostAlarms) return { refused, changes: [] };
  const alarms = before + 1;
  const told = alarms === mostAlarms ? `${message}; this is the ${mostAlarms}th time, and the last that is told` : message;
  return {
    refused,
    changes: [
      { kind: 'instance', name, patch: { alarms } },
      { kind: 'event', at: now, body: { type: 'security.alarm', severity: 'error', message: told, data: { instance: name } } },
    ],
  };
}
