import type { InstanceView, RunDetail } from '@paceline/api';

export function instance(name: string, more: Partial<InstanceView> = {}): InstanceView {
  const [node = '', index = '1'] = name.split('.');
  return {
    name,
    node,
    index: Number(index),
    cloud: 'local',
    stage: 'joined',
    machineId: `m-${name}`,
    address: '127.0.0.1',
    step: null,
    complete: false,
    message: '',
    abort: null,
    fault: null,
    connected: true,
    blockedIn: [],
    dropped: false,
    disks: [],
    ...more,
  };
}

export function run(instances: InstanceView[], more: Partial<RunDetail> = {}): RunDetail {
  return {
    id: '3f2a51c0-0000-4000-8000-000000000000',
    name: 'demo',
    state: 'Ready',
    createdAt: '2026-11-21T12:00:00.000Z',
    createdBy: 'alice',
    project: 'shop',
    endedAt: null,
    tags: [],
    category: 'Deployment',
    module: 'demo',
    digest: 'a'.repeat(64),
    stateSince: '2026-11-21T12:00:10.000Z',
    abort: null,
    outcome: null,
    keepRunning: 'always',
    scalable: false,
    scaling: null,
    expiresAt: '2026-11-21T16:00:00.000Z',
    serviceUrl: null,
    nodes: [...new Set(instances.map(({ node }) => node))].map((name) => ({ name, image: name, needs: [] })),
    instances,
    waits: [],
    lastEvent: 1,
    ...more,
  };
}
