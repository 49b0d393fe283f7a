import { PacelineError } from '@paceline/model';
import { maxValueBytes } from '@paceline/api/agent';
import { abortChanges, cancelAbortChanges } from '../lifecycle/abort.ts';
import type { Change } from '../run/change.ts';
import type { Instance } from '../run/instance.ts';
import type { Run } from '../run/run.ts';
import { shortened } from '../run/shortened.ts';
import { locate, type Location } from './location.ts';
import { mappedFrom } from './mapping.ts';
import { declaredSecret, isDeclared, planned, unknownParameter } from './read.ts';
import { storedGlobalNames, storedInstanceNames } from './system.ts';

/** Who writes: an instance's agent, or a user of the run, who may write whatever is not derived. */
export type Writer = { instance: Instance } | 'user';

/** In an event, in characters. */
const maxShownValue = 200;
const maxShownMessage = 1000;
/** Of a message as it is kept, in characters: it is stored with its instance, each time that this says something. */
const maxMessage = 8192;

/**
 * The changes that setting a parameter means, its special effects included: `abort` raises the flag, `statecustom` shows a
 * message. Empty text takes the value away.
 * @throws PACELINE_PARAMETER_UNKNOWN, PACELINE_FORBIDDEN, PACELINE_TOO_LARGE
 */
export function writeParameter(run: Run, written: string, value: string, secret: boolean, writer: Writer, now: number): Change[] {
  const location = locate(run, written);
  if (location === undefined || !isDeclared(run, location)) throw unknownParameter(written);
  if (Buffer.byteLength(value) > maxValueBytes) {
    throw new PacelineError('PACELINE_TOO_LARGE', `The value of ${location.key} exceeds the maximum length of ${maxValueBytes} bytes`, {
      hint: 'Put large content into the report, or let the machines fetch it from each other.',
    });
  }
  if (location.name === 'abort') {
    checkOwn(location, writer);
    return value === '' ? cancelAbortChanges(run, location.key, now) : abortChanges(run, location.key, value, now);
  }
  checkRight(run, location, writer);
  if (location.scope === 'instance' && location.name === 'statecustom') return showMessage(location.instance, value, now);
  const hidden = secret || declaredSecret(run, location);
  return [
    { kind: 'parameter', key: location.key, value: value === '' ? null : value, secret: hidden },
    ...overridden(run, location.key),
    setEvent(location.key, value, hidden, now),
  ];
}

function refusal({ key }: Location, reason: string): PacelineError {
  return new PacelineError('PACELINE_FORBIDDEN', `${key} cannot be set: ${reason}`);
}

function checkOwn(location: Location, writer: Writer): void {
  if (typeof writer === 'string' || location.scope !== 'instance' || location.instance === writer.instance) return;
  throw refusal(location, `${writer.instance.name} may only set its own parameters; map ${location.key} from one of them instead`);
}

function checkRight(run: Run, location: Location, writer: Writer): void {
  const refuse = (reason: string): never => {
    throw refusal(location, reason);
  };
  if (location.scope === 'node') refuse('it follows from the run');
  const { name } = location;
  const declared = planned(run, location);
  const stored = location.scope === 'global' ? storedGlobalNames : storedInstanceNames;
  if (declared === undefined && !stored.has(name) && name !== 'statecustom') refuse('it follows from the run');
  if (typeof writer === 'string') return;
  checkOwn(location, writer);
  if (location.scope === 'global' && declared?.output !== true && name !== 'url.service') {
    refuse('instances may only set the outputs of the deployment; declare it with `output: true`');
  }
}

function showMessage(instance: Instance, statecustom: string, now: number): Change[] {
  const text = shortened(statecustom, maxShownMessage);
  return [
    { kind: 'instance', name: instance.name, patch: { statecustom: shortened(statecustom, maxMessage) } },
    {
      kind: 'event',
      at: now,
      body: { type: 'instance.message', severity: 'info', message: `${instance.name}: ${text}`, data: { instance: instance.name, text } },
    },
  ];
}

/** A source that is set again reaches all that follow it, also those that had been given a value of their own meanwhile. */
function overridden(run: Run, key: string): Change[] {
  const changes: Change[] = [];
  for (const { node, name } of mappedFrom(run, key)) {
    for (const instance of run.instances.values()) {
      const target = `${instance.name}:${name}`;
      if (instance.node === node && run.parameters.has(target))
        changes.push({ kind: 'parameter', key: target, value: null, secret: false });
    }
  }
  return changes;
}

function setEvent(key: string, value: string, secret: boolean, now: number): Change {
  const shown = secret ? '***' : shortened(value, maxShownValue);
  return {
    kind: 'event',
    at: now,
    body: {
      type: 'parameter.set',
      severity: 'info',
      message: value === '' ? `${key} unset` : `${key} = ${shown}`,
      data: { key, value: value === '' ? null : shown, secret },
    },
  };
}
