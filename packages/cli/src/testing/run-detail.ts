import type { EventView, InstanceView, RunDetail } from '@paceline/api';

const started = Date.parse('2026-01-01T10:00:00.000Z');

/** A time of the story that a test tells, in seconds after the start of the run. */
export function at(seconds: number): string {
  return new Date(started + seconds * 1000).toISOString();
}

/** An instance that has joined and does nothing. */
export function instance(name: string, rest: Partial<InstanceView> = {}): InstanceView {
  const [node = name, index = '1'] = name.split('.');
  return {
    name,
    node,
    index: Number(index),
    cloud: 'local',
    stage: 'joined',
    machineId: `m-${name}`,
    address: '127.0.0.2',
    step: null,
    complete: false,
    message: '',
    abort: null,
    fault: null,
    connected: true,
    blockedIn: [],
    dropped: false,
    disks: [],
    ...rest,
  };
}

export function runDetail(instances: InstanceView[], rest: Partial<RunDetail> = {}): RunDetail {
  return {
    id: '3f2a91c0-0000-4000-8000-000000000000',
    name: 'client-server',
    state: 'Executing',
    createdAt: at(0),
    createdBy: 'operator',
    nodes: [],
    project: 'default',
    endedAt: null,
    tags: [],
    category: 'Deployment',
    module: 'client-server',
    digest: 'd',
    stateSince: at(5),
    abort: null,
    outcome: null,
    keepRunning: 'on-success',
    scalable: false,
    scaling: null,
    expiresAt: at(3600),
    serviceUrl: null,
    waits: [],
    instances,
    lastEvent: 1,
    ...rest,
  };
}

export function event(seq: number, message: string, rest: Partial<EventView> = {}): EventView {
  return { seq, at: at(seq), type: 'instance.notice', severity: 'info', message, data: {}, ...rest };
}
