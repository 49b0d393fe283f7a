import { once } from 'node:events';
import { createServer } from 'node:http';
import { coreServices } from '@backstage/backend-plugin-api';
import { ServiceFactoryTester } from '@backstage/backend-test-utils';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { System } from '../../test/support/system.ts';
import { pacelineHealthRef, pacelineRootHealth, runsCanBeRead } from '../backend/src/health.ts';

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system?.close());

it('says that a back end is not ready when its Paceline cannot be reached, does not know its token, or is silent', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  const stop = new AbortController();
  const upstream = { url: system.url, token: system.token };
  try {
    const well = runsCanBeRead(upstream, stop.signal);
    await expect(well()).resolves.toBeUndefined();
    await expect(runsCanBeRead({ ...upstream, token: 'wrong' }, stop.signal)()).rejects.toMatchObject({ code: 'PACELINE_UNAUTHENTICATED' });
    await expect(runsCanBeRead({ ...upstream, url: `http://127.0.0.1:${port}` }, stop.signal)()).rejects.toMatchObject({
      code: 'PACELINE_UNREACHABLE',
    });
    await system.kill();
    await expect(well()).rejects.toMatchObject({ code: 'PACELINE_UNREACHABLE' });
  } finally {
    stop.abort();
    silent.close();
    silent.closeAllConnections();
    await system.serve();
  }
});

it('takes the place of the health of Backstage', async () => {
  const tester = ServiceFactoryTester.from(pacelineRootHealth);
  const health = await tester.getSubject();
  expect(pacelineRootHealth.service.id).toBe(coreServices.rootHealth.id);
  expect(await health.getLiveness()).toMatchObject({ status: 200 });
  // It has not been started.
  expect(await health.getReadiness()).toMatchObject({ status: 503 });
  const checks = await ServiceFactoryTester.from(pacelineRootHealth).getService(pacelineHealthRef);
  checks.add(async () => {});
  expect(await checks.troubles()).toEqual([]);
  checks.add(() => Promise.reject(new Error('the database is away')));
  expect(await checks.troubles()).toEqual(['the database is away']);
});
