import { isDeepStrictEqual } from 'node:util';
import { firstCloud, type RunPlan } from '@paceline/model';
import type { Instance } from './instance.ts';
import type { RunEvent } from './event.ts';
import type { Run } from './run.ts';
import { withoutBuilt } from '../images/plan-images.ts';
import { seeds } from './first-values.ts';
import { withoutSecrets } from './without-secrets.ts';

/** Where runs belong that nobody has said anything else of. */
export const defaultProject = 'default';

export interface NewRun {
  id: string;
  name: string;
  plan: RunPlan;
  by: string;
  /** @default `defaultProject` */
  project?: string;
  tags: string[];
  /** Milliseconds since the epoch. */
  now: number;
}

/** The run as it is before anything has happened: all instances wanted, no parameter set but those of the plan. */
export function createRun({ id, name, plan, by, project = defaultProject, tags, now }: NewRun): Run {
  const run: Run = {
    id,
    name,
    plan: withoutSecrets(plan),
    createdAt: now,
    createdBy: by,
    project,
    tags,
    revision: 0,
    drivenSince: now,
    facts: {
      state: 'Initializing',
      seq: 1,
      stateSince: now,
      abort: null,
      recovery: false,
      outcome: null,
      accounts: {},
      swept: false,
      expiresAt: now + plan.lifetimeMs,
      endedAt: null,
      scaling: null,
      scalings: [],
      untold: null,
      lastEvent: 1,
    },
    instances: new Map(),
    parameters: new Map(),
  };
  for (const [key, { value, secret }] of Object.entries(plan.globals)) {
    if (value !== undefined) run.parameters.set(`ss:${key}`, { value, secret });
  }
  for (const [key, parameter] of seeds(plan)) run.parameters.set(key, parameter);
  for (const [node, planned] of Object.entries(plan.nodes)) {
    const { multiplicity, parameters } = planned;
    for (let index = 1; index <= multiplicity; index++) {
      const instance = createInstance(run, node, index, firstCloud(planned, index));
      run.instances.set(instance.name, instance);
      for (const [parameter, { value, secret }] of Object.entries(parameters)) {
        if (value !== undefined) run.parameters.set(`${instance.name}:${parameter}`, { value, secret });
      }
    }
  }
  return run;
}

/** Whether two are what one person has asked for once. */
export function isSameRun(a: Run, b: Run): boolean {
  return (
    a.createdBy === b.createdBy &&
    a.project === b.project &&
    a.name === b.name &&
    isDeepStrictEqual(withoutBuilt(a.plan), withoutBuilt(b.plan))
  );
}

/** The first event of every run. */
export function creationEvent({ createdAt, createdBy }: Run): RunEvent {
  const by = createdBy;
  return { seq: 1, at: createdAt, type: 'run.created', severity: 'info', message: `Created by ${by}`, data: { by } };
}

export function createInstance(run: Run, node: string, index: number, cloud: string): Instance {
  return {
    node,
    index,
    name: run.plan.category === 'Image' ? node : `${node}.${index}`,
    machine: {
      status: 'wanted',
      cloud,
      token: '',
      id: null,
      address: null,
      login: null,
      cloudState: '',
      launchedAt: null,
      endedAt: null,
      attempts: 0,
      retryAt: 0,
      fault: null,
      size: null,
      madeImage: null,
      instead: null,
      disks: [],
      wanted: null,
    },
    keyHash: null,
    joinedAt: null,
    bootId: null,
    tookHostKey: false,
    lastOp: 0,
    refusals: [],
    told: 0,
    alarms: 0,
    completed: 0,
    abort: null,
    statecustom: '',
    step: null,
    dropped: false,
    removing: false,
  };
}
