import { createServer } from 'node:http';
import type { CloudSurvey } from '@paceline/api';
import { expect, test } from 'vitest';
import { recorder } from '../testing/recorder.ts';
import { cloudsCommand, type CloudsOptions } from './clouds.ts';

const lab: CloudSurvey = {
  name: 'lab',
  connector: 'openstack',
  reach: 'direct',
  account: { account: 'ours', regions: ['north'] },
  quota: { machines: { used: 3, max: 10 }, cpus: { used: 6, max: null } },
  offers: [
    { name: 'm1.small', cpus: 1, memoryMiB: 2048, diskGiB: 20, price: { amount: 0.02, currency: 'EUR' } },
    { name: 'm1.large', cpus: 4, memoryMiB: 8192, price: null },
  ],
};
const away: CloudSurvey = {
  name: 'away',
  connector: 'aws',
  reach: 'tunnel',
  failure: { code: 'auth', message: 'The key\u001b[2J is wrong', hint: 'Log in.' },
};

async function show(clouds: CloudSurvey[], options: Partial<CloudsOptions> = {}): Promise<string> {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ clouds })),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const shell = recorder();
  try {
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const code = await cloudsCommand([], { server: url, token: 'x', ...options }, shell).catch((error: Error) => error.message);
    return `${shell.out()}${code}`;
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

test('quotas and sizes are shown; a price that nobody knows is unknown', async () => {
  expect(await show([lab])).toMatchInlineSnapshot(`
    "lab  openstack, direct  ours, north
        3 of 10 machines, 6 of any number of CPUs
        2 sizes of machines
    0"
  `);
  expect(await show([lab], { offers: true })).toMatchInlineSnapshot(`
    "lab  openstack, direct  ours, north
        3 of 10 machines, 6 of any number of CPUs
        m1.small         1 CPU, 2048 MiB, 20 GiB of disk: 0.02 EUR an hour
        m1.large         4 CPUs, 8192 MiB: price unknown
    0"
  `);
});

test('a cloud that cannot be used is shown beside the others, and fails the command', async () => {
  const text = await show([away, lab]);
  expect(text).toContain('Log in.');
  expect(text).toContain('lab  openstack');
  expect(text).toContain('Of 2 clouds 1 cannot be used: away');
  expect(text).not.toContain('\u001b');
});
