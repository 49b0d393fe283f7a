import type { LaunchRequest } from '@paceline/engine/connector';
import { expect, test } from 'vitest';
import { configSchema } from './config.ts';
import { checkDoor, openRules } from './security-group.ts';

const check =
  (config: object, request: Partial<LaunchRequest> = {}): (() => void) =>
  () =>
    checkDoor(configSchema.parse({ region: 'eu-west-3', ...config }), { tunnelled: true, ports: [], ...request } as LaunchRequest);

test('machines that nobody could reach are not started', () => {
  expect(check({})).toThrow('port 22 of none of them is open to it');
  expect(check({}, { ports: [{ port: 8080, protocol: 'tcp' }] })).toThrow('port 22');
  for (const config of [{ sshFrom: ['192.0.2.1/32'] }, { securityGroups: ['sg-0123456789abcdef0'] }]) expect(check(config)).not.toThrow();
  expect(check({}, { ports: [{ port: 22, protocol: 'tcp' }] })).not.toThrow();
  expect(check({}, { tunnelled: false })).not.toThrow();
});

test('a port that is opened twice is asked for once', () => {
  const config = configSchema.parse({ region: 'eu-west-3', sshFrom: ['0.0.0.0/0', '192.0.2.1/32'] });
  expect(
    openRules(
      [
        { port: 22, protocol: 'tcp' },
        { port: 80, protocol: 'tcp' },
      ],
      config,
    ),
  ).toEqual([
    {
      IpProtocol: 'tcp',
      FromPort: 22,
      ToPort: 22,
      IpRanges: [{ CidrIp: '0.0.0.0/0' }, { CidrIp: '192.0.2.1/32' }],
      Ipv6Ranges: [{ CidrIpv6: '::/0' }],
    },
    { IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '0.0.0.0/0' }], Ipv6Ranges: [{ CidrIpv6: '::/0' }] },
  ]);
});
