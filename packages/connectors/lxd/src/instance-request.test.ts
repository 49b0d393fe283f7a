import { launchRequest } from '@paceline/connector-host/testing';
import { expect, test } from 'vitest';
import { configSchema } from './config.ts';
import { instanceRequest, type Ground } from './instance-request.ts';

const ground: Ground = {
  fingerprint: 'f'.repeat(64),
  cloudInitKeys: true,
  local: true,
  rootDisk: { name: 'disk', device: { type: 'disk', path: '/', pool: 'fast' } },
};

function body(
  userData: string | Uint8Array<ArrayBuffer>,
  settings: Record<string, unknown> = {},
  changes: Parameters<typeof launchRequest>[1] = {},
  ground_ = ground,
) {
  const request = launchRequest('', { token: 't', expiresAt: new Date(0), ...changes });
  const bytes = typeof userData === 'string' ? new TextEncoder().encode(userData) : userData;
  return instanceRequest(configSchema.parse(settings), request, { index: 2, name: 'web-2', userData: bytes }, ground_);
}

test('a machine is asked for in one piece: image, tags, user data, sizes and ways out', () => {
  const userData = "#!/bin/sh\nurl='http://127.0.0.1:8080'\n";
  expect(body(userData, {}, { cpus: 1.5, memoryMiB: 300, diskGiB: 5, login: 'me' })).toEqual({
    name: 'web-2',
    type: 'container',
    source: { type: 'image', fingerprint: ground.fingerprint },
    profiles: ['default'],
    config: {
      'user.paceline-engine': 'engine-under-test',
      'user.paceline-run': 'run-1',
      'user.paceline-node': 'server',
      'user.paceline-token': 't',
      'user.paceline-index': '2',
      'user.paceline-expires': '1970-01-01T00:00:00.000Z',
      'user.paceline-login': 'me',
      'user.user-data': userData,
      'cloud-init.user-data': userData,
      'limits.cpu': '2',
      'limits.cpu.allowance': '150ms/100ms',
      'limits.memory': '300MiB',
    },
    devices: {
      disk: { type: 'disk', path: '/', pool: 'fast', size: '5GiB' },
      'paceline-127-0-0-1-8080': { type: 'proxy', bind: 'instance', listen: 'tcp:127.0.0.1:8080', connect: 'tcp:127.0.0.1:8080' },
    },
  });
});

test('localhost leads out by IPv4, an address of IPv6 as it is', () => {
  expect(Object.keys(body('http://localhost:80').devices as object)).toEqual(['paceline-127-0-0-1-80']);
  expect(body('http://[::1]:7').devices).toEqual({
    'paceline---1-7': { type: 'proxy', bind: 'instance', listen: 'tcp:[::1]:7', connect: 'tcp:[::1]:7' },
  });
});

test('a machine that its engine comes to is led nowhere', () => {
  const { devices } = body("url='http://127.0.0.1:8080'", {}, { tunnelled: true }, { ...ground, local: false });
  expect(Object.keys(devices ?? {})).not.toContain('paceline-127-0-0-1-8080');
});

test('a pool of its own, and servers that know one key only', () => {
  const made = body('x', { pool: 'slow' }, {}, { fingerprint: 'f', cloudInitKeys: false, local: true });
  expect(made).toMatchObject({ devices: { root: { type: 'disk', path: '/', pool: 'slow' } } });
  expect(made.config).not.toHaveProperty('cloud-init.user-data');
});

test.each<[string, () => unknown, string]>([
  ['no root disk', () => body('x', {}, {}, { ...ground, rootDisk: undefined } as unknown as Ground), 'invalid'],
  ['user data that is no text', () => body(Uint8Array.from([0xff])), 'invalid'],
  ['an engine that a virtual machine cannot reach', () => body('http://127.0.0.1:1', { type: 'virtual-machine' }), 'unsupported'],
  ['an engine that machines elsewhere cannot reach', () => body('http://127.0.0.1:1', {}, {}, { ...ground, local: false }), 'unsupported'],
])('%s is refused', (_what, make, code) => {
  expect(make).toThrow(expect.objectContaining({ code }));
});
