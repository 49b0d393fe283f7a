// @vitest-environment happy-dom
import type { Client } from '@paceline/api';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, test } from 'vitest';
import { HostProvider } from '../host.tsx';
import { instance } from '../testing/fixtures.ts';
import { ChosenInstance } from './chosen-instance.tsx';

afterEach(cleanup);

const client = { parameters: { get: async () => ({ value: 'ssh://root@10.0.0.1' }) } } as unknown as Client;
const paths = { runs: '/runs', run: (id: string) => `/runs/${id}`, apps: '/apps', app: (id: string) => `/apps/${id}` };

async function factsOf(chosen: ReturnType<typeof instance>): Promise<string[]> {
  render(
    <HostProvider host={{ client, paths, navigate: () => {}, rightsOf: async () => [] }}>
      <ChosenInstance run="run" instance={chosen} onClose={() => {}} />
    </HostProvider>,
  );
  await screen.findByText('ssh root@10.0.0.1');
  const facts = [...document.querySelectorAll('dl > div')].map((row) => [...row.children].map((part) => part.textContent).join(': '));
  cleanup();
  return facts;
}

test('of a machine there is to see which disks it was given', async () => {
  expect(await factsOf(instance('web.1', { disks: [{ device: '/dev/sdf', gib: 10 }] }))).toContain('Disks: /dev/sdf, 10 GiB');
  expect((await factsOf(instance('web.2'))).filter((fact) => fact.startsWith('Disks'))).toEqual([]);
});
