import type { LaunchRequest } from '@paceline/engine/connector';
import { expect, test } from 'vitest';
import { configSchema } from './config.ts';
import { checkDoor, openRules } from './security-group.ts';

const check =
  (config: object, request: Partial<LaunchRequest> = {}): (() => void) =>
  () =>
    checkDoor(configSchema.parse({ ...config }), { tunnelled: true, ports: [], ...request } as LaunchRequest);

test('machines that nobody could reach are not started', () => {
  expect(check({})).toThrow('port 22 of none of them is open to it');
  expect(check({}, { ports: [{ port: 8080, protocol: 'tcp' }] })).toThrow('port 22');
  for (const config of [{ sshFrom: ['192.0.2.1/32'] }, { securityGroups: ['ssh-from-here'] }]) expect(check(config)).not.toThrow();
  expect(check({}, { ports: [{ port: 22, protocol: 'tcp' }] })).not.toThrow();
  expect(check({}, { tunnelled: false })).not.toThrow();
});

test('a port that is opened twice is asked for once', () => {
  const config = configSchema.parse({ sshFrom: ['0.0.0.0/0'] });
  const rules = openRules([{ port: 22, protocol: 'tcp' }], config);
  expect(rules.map(({ port, from }) => `${port} ${from}`)).toEqual(['22 0.0.0.0/0', '22 ::/0']);
});
