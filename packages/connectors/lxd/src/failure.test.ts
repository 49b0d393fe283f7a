import { ConnectorError, type ConnectorErrorCode } from '@paceline/engine/connector';
import { expect, test } from 'vitest';
import { refusal, unlessUnknown, unreachable } from './failure.ts';

// As LXD 5.0.2 said them; 500 stands for the failures of operations, which have no status of their own.
test.each<[number, string, ConnectorErrorCode]>([
  [404, 'Instance not found', 'notFound'],
  [404, 'Image alias not found', 'notFound'],
  [404, 'Fetch profile: Profile not found', 'notFound'],
  [404, 'Operation not found', 'notFound'],
  [500, "Failed getting remote image info: Failed getting image: The requested image couldn't be found", 'notFound'],
  [500, `Requested profile "nope" doesn't exist`, 'notFound'],
  [500, 'Failed creating instance record: Failed initialising instance: Failed loading storage pool: Storage pool not found', 'notFound'],
  [400, 'Invalid instance name: Name must not start with a number', 'invalid'],
  [500, 'Failed start validation for device "eth0": Instance DNS name "server-1" already used on network', 'conflict'],
  [500, 'Failed creating instance record: Invalid CPU limit syntax', 'invalid'],
  [500, `Requested image's type "container" doesn't match instance type "virtual-machine"`, 'invalid'],
  [500, 'Failed creating instance record: Add instance info to the database: This "instances" entry already exists', 'conflict'],
  [500, 'Reached maximum number of instances of type "container" in project "p"', 'quota'],
  [500, 'Failed to create instance delete operation: A matching non-reusable operation has now succeeded', 'unavailable'],
  [403, 'not authorized', 'forbidden'],
])('%i %s', checkRefusal);

// Found in its sources, or made up.
test.each<[number, string, ConnectorErrorCode]>([
  [500, 'Instance is busy running a "create" operation', 'unavailable'],
  [500, 'Failed creating instance from image: write /rootfs/x: no space left on device', 'capacity'],
  [503, 'LXD is shutting down', 'unavailable'],
  [429, '', 'throttled'],
  [500, 'something else', 'internal'],
])('%i %s', checkRefusal);

function checkRefusal(status: number, text: string, code: ConnectorErrorCode): void {
  expect(refusal('do it', status, text)).toMatchObject({ code, message: `Could not do it: ${text}`, details: { provider: { status } } });
}

test.each<[string, ConnectorErrorCode]>([
  ['ENOENT', 'unavailable'],
  ['ECONNREFUSED', 'unavailable'],
  ['ECONNRESET', 'unavailable'],
  ['EACCES', 'forbidden'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'auth'],
  ['ERR_TLS_CERT_NOT_PINNED', 'auth'],
])('a connection that fails with %s', (errno, code) => {
  const thrown = Object.assign(new Error('connect'), { code: errno });
  expect(unreachable('do it', thrown, new AbortController().signal)).toMatchObject({ code, details: { cause: thrown } });
});

test('a call that was aborted may have had its effect', () => {
  expect(unreachable('do it', new Error('aborted'), AbortSignal.abort())).toMatchObject({ code: 'timeout' });
});

test('only what was asked for can be unknown, not what the server missed on its way', async () => {
  expect(await unlessUnknown(Promise.reject(refusal('look', 404, 'Instance not found')))).toBeUndefined();
  await expect(unlessUnknown(Promise.reject(refusal('remove', 500, 'Storage volume not found')))).rejects.toThrow(ConnectorError);
});
