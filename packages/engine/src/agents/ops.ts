import type { Op, OpResult } from '@paceline/api/agent';
import { isPacelineError, PacelineError } from '@paceline/model';
import { abortChanges, abortOnUnknownKey, cancelAbortChanges, refuseWhenAborted } from '../lifecycle/abort.ts';
import { completeState } from '../lifecycle/complete.ts';
import { assignmentOf, stepTitle } from '../lifecycle/steps.ts';
import { readAll } from './collections.ts';
import { refusedResult } from './op-error.ts';
import { readAs } from '../parameters/secrets.ts';
import { writeParameter } from '../parameters/write.ts';
import type { Change } from '../run/change.ts';
import type { Severity } from '../run/event.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';

/** What carrying out one op needs beyond the run: where waits and output go. */
export interface OpContext {
  /** @param unless a value that is none */
  wait(key: string, unless?: string): void;
  unwait(key: string): void;
  /** @returns false when nobody waits for these yet, and nothing is done */
  joinWaitAll(node: string, name: string): boolean;
  waitAll(node: string, name: string): void;
  unwaitAll(node: string, name: string): void;
  examined(finding: Extract<Op, { op: 'examined' }>['finding']): void;
  log(op: Extract<Op, { op: 'log' }>): Change[];
}

export interface OpOutcome {
  changes: Change[];
  result: OpResult;
}

const ok: OpResult = { status: 'ok' };

/** Decides one op of an instance's agent. Never throws: what is refused comes back as a result. */
export function decideOp(run: Run, instance: Instance, op: Op, context: OpContext, now: number): OpOutcome {
  try {
    return decide(run, instance, op, context, now);
  } catch (error) {
    if (!isPacelineError(error)) throw error;
    const result: OpResult = { status: 'error', ...refusedResult(error) };
    return { changes: abortOnUnknownKey(run, instance.name, error, now), result };
  }
}

function decide(run: Run, instance: Instance, op: Op, context: OpContext, now: number): OpOutcome {
  switch (op.op) {
    case 'get': {
      refuseWhenAborted(run, op.ignoreAbort);
      const { value, secret } = readAs(run, instance, op.key);
      if (value !== undefined && value !== op.unless) return { changes: [], result: { status: 'value', value, secret } };
      if (op.wait) context.wait(op.key, op.unless);
      return { changes: [], result: { status: 'unset' } };
    }
    case 'getAll': {
      refuseWhenAborted(run, op.ignoreAbort);
      if (!Object.hasOwn(run.plan.nodes, op.node))
        throw new PacelineError('PACELINE_PARAMETER_UNKNOWN', `Unknown key ${op.node}:${op.name}`);
      // While others wait for the same, nobody has to look.
      if (op.wait && context.joinWaitAll(op.node, op.name)) return { changes: [], result: { status: 'unset' } };
      const result = readAll(run, instance, op.node, op.name);
      if (!op.wait || result.unset.length === 0) return { changes: [], result };
      context.waitAll(op.node, op.name);
      return { changes: [], result: { status: 'unset' } };
    }
    case 'unwait':
      context.unwait(op.key);
      return { changes: [], result: ok };
    case 'unwaitAll':
      context.unwaitAll(op.node, op.name);
      return { changes: [], result: ok };
    case 'set':
    case 'unset': {
      refuseWhenAborted(run, op.ignoreAbort);
      const value = op.op === 'set' ? op.value : '';
      return { changes: writeParameter(run, op.key, value, op.op === 'set' && op.secret, { instance }, now), result: ok };
    }
    case 'abort':
      return { changes: abortChanges(run, abortKey(instance), op.reason, now), result: ok };
    case 'cancelAbort':
      return { changes: cancelAbortChanges(run, abortKey(instance), now), result: ok };
    case 'step':
      return { changes: stepChanges(run, instance, op, now), result: ok };
    case 'complete':
      return { changes: completeState(run, instance, op.seq, now), result: ok };
    case 'log':
      return { changes: context.log(op), result: ok };
    case 'examined':
      context.examined(op.finding);
      return { changes: [], result: ok };
    case 'notice':
      return { changes: [notice(instance, op.severity, op.message, now)], result: ok };
  }
}

function stepChanges(run: Run, instance: Instance, op: Extract<Op, { op: 'step' }>, now: number): Change[] {
  if (op.seq !== run.facts.seq) return [];
  const { step, status, exitCode, message } = op;
  const known = assignmentOf(run, instance).steps.find(({ id }) => id === step);
  const changes: Change[] = [
    { kind: 'instance', name: instance.name, patch: { step: status === 'started' ? step : null } },
    {
      kind: 'event',
      at: now,
      body: {
        type: 'instance.step',
        severity: status === 'failed' ? 'error' : 'info',
        message: `${instance.name}: ${known === undefined ? step : stepTitle(known)} ${status}`,
        data: { instance: instance.name, step, status, ...(exitCode === undefined ? {} : { exitCode }) },
      },
    },
  ];
  if (status !== 'failed' || message === undefined) return changes;
  const aborts = known?.kind === 'packages' || (known?.kind === 'script' && known.aborts);
  return [...changes, ...(aborts ? abortChanges(run, abortKey(instance), message, now) : [notice(instance, 'error', message, now)])];
}

function notice(instance: Instance, severity: Severity, text: string, at: number): Change {
  const message = `${instance.name}: ${text}`;
  return { kind: 'event', at, body: { type: 'instance.notice', severity, message, data: { instance: instance.name } } };
}

function abortKey(instance: Instance): string {
  return `${instance.name}:abort`;
}
