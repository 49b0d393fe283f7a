import { expect, test } from 'vitest';
import type { Instance } from './answer.ts';
import { toMachine, toResource } from './machine.ts';

const instance: Instance = {
  name: 'server-1',
  status: 'Running',
  status_code: 103,
  type: 'container',
  created_at: '2026-11-21T09:07:06.133799901Z',
  last_used_at: '2026-11-21T09:07:11.724864456Z',
  profiles: ['default'],
  devices: {},
  config: {
    'user.paceline-engine': 'e',
    'user.paceline-run': 'r',
    'user.paceline-node': 'server',
    'user.paceline-token': 't',
    'user.paceline-index': '1',
    'user.paceline-expires': '2026-11-21T10:07:06.111Z',
    'volatile.eth0.hwaddr': '00:16:3e:7f:f0:00',
  },
  state: {
    network: {
      docker0: { hwaddr: '02:42:00:00:00:01', addresses: [{ family: 'inet', address: '172.17.0.1', scope: 'global' }] },
      eth0: {
        hwaddr: '00:16:3E:7F:F0:00',
        addresses: [
          { family: 'inet6', address: '2001:db8::7', scope: 'global' },
          { family: 'inet6', address: 'fe80::216:3eff:fe7f:f000', scope: 'link' },
          { family: 'inet', address: '10.86.7.240', scope: 'global' },
          { family: 'inet', address: '203.0.113.9', scope: 'global' },
        ],
      },
      lo: { hwaddr: '', addresses: [{ family: 'inet', address: '127.0.0.1', scope: 'local' }] },
    },
  },
};
const fresh = { status: 'Stopped', status_code: 102, last_used_at: '1970-01-01T00:00:00Z' };

test('a running machine has the addresses that LXD gave it', () => {
  expect(toMachine(instance)).toEqual({
    id: 'server-1',
    index: 1,
    name: 'server-1',
    state: 'running',
    publicIps: ['203.0.113.9', '2001:db8::7'],
    privateIps: ['10.86.7.240'],
    createdAt: new Date('2026-11-21T09:07:06.133Z'),
  });
});

test.each([
  [{ status: 'Stopped', status_code: 102 }, 'stopped'],
  [{ status: 'Frozen', status_code: 110 }, 'running'],
  [{ status: 'Stopping', status_code: 107 }, 'stopping'],
  [{ status: 'Error', status_code: 112 }, 'error'],
  [{ status: 'New', status_code: 999 }, 'error'],
  [fresh, 'pending'],
])('%j is %s', (patch, state) => {
  expect(toMachine({ ...instance, ...patch })?.state).toBe(state);
});

test('what was never started is shown, and is not taken for a machine that comes up', () => {
  expect(toResource({ ...instance, ...fresh })).toEqual({
    kind: 'machine',
    id: 'server-1',
    name: 'server-1',
    owner: { engine: 'e', run: 'r', node: 'server' },
    token: 't',
    expiresAt: new Date('2026-11-21T10:07:06.111Z'),
  });
  expect(toResource(instance)?.machine?.state).toBe('running');
});

test('what has no tags of ours is nothing to us', () => {
  expect(toResource({ ...instance, config: {} })).toBeUndefined();
});
