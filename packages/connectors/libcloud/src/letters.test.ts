import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { launchRequest } from '@paceline/connector-host/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Letters } from './letters.ts';
import { scratch } from './testing/python.ts';

test('a letter finds its machine, whatever the cloud calls it, and nobody else reads it', async () => {
  const root = scratch();
  const letters = new Letters(root);
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), fc.uint8Array({ maxLength: 200 }), async (id, userData) => {
      const request = launchRequest('');
      await letters.write({ ...request, machines: [{ index: 7, name: 'm', userData }] }, Date.now());
      expect(await letters.to(id)).toBeUndefined();
      await letters.address(request.token, [{ id, index: 7 }]);
      const letter = await new Letters(root).to(id);
      expect(letter && { ...letter, userData: new Uint8Array(letter.userData) }).toEqual({ key: `${request.token}-7`, userData });
      await letters.drop([id]);
      expect(readdirSync(join(root, 'letters'))).toEqual([]);
    }),
    { numRuns: 30 },
  );
  expect(statSync(join(root, 'letters')).mode & 0o077).toBe(0);
});

test('letters to machines whose time is over are thrown away', async () => {
  const root = scratch();
  const letters = new Letters(root);
  const old = launchRequest('old', { expiresAt: new Date(1000) });
  await letters.write(old, 0);
  await letters.address(old.token, [{ id: 'gone', index: 1 }]);
  await letters.write(launchRequest('new'), 2000);
  expect(readdirSync(join(root, 'letters'))).toHaveLength(1);
  expect(await letters.to('gone')).toBeUndefined();
});
