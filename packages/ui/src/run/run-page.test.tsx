// @vitest-environment happy-dom
import type { Client, EventView } from '@paceline/api';
import { cleanup, configure, fireEvent, render, screen, waitFor } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import { HostProvider, type RunRight } from '../host.tsx';
import { instance, run } from '../testing/fixtures.ts';
import { RunPage } from './run-page.tsx';

afterEach(cleanup);
// Roles are looked for among everything that is there.
configure({ asyncUtilTimeout: 15_000 });

const instances = [
  instance('web.1', { message: 'Serving' }),
  ...Array.from({ length: 1000 }, (_, index) => instance(`client.${index + 1}`)),
];

function show(detail = run(instances), rights: readonly RunRight[] = ['update', 'scale', 'terminate']) {
  const terminate = vi.fn<(id: string) => Promise<typeof detail>>(async () => detail);
  let current = detail;
  const news = Promise.withResolvers<EventView>();
  const client = {
    runs: { get: async () => current, terminate },
    parameters: { get: async () => ({ value: null }) },
    reports: { list: async () => [] },
    async *followEvents(_id: string, { signal }: { signal: AbortSignal }) {
      yield await news.promise;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  } as unknown as Client;
  const paths = { runs: '/runs', run: (id: string) => `/runs/${id}`, apps: '/apps', app: (id: string) => `/apps/${id}` };
  render(
    <HostProvider host={{ client, paths, navigate: () => {}, rightsOf: async () => rights }}>
      <RunPage id={detail.id} />
    </HostProvider>,
  );
  const change = (next: typeof detail): void => {
    current = next;
    news.resolve({
      seq: next.lastEvent,
      at: next.createdAt,
      type: 'run.state',
      severity: 'info',
      message: '',
      data: { state: next.state },
    });
  };
  return { terminate, change };
}

test('a thousand instances are a few rows and one summary', async () => {
  show();
  await screen.findByRole('heading', { name: 'demo' });
  expect(screen.getByRole('img', { name: '1000 working' })).toBeTruthy();
  expect(document.querySelectorAll('.pl-instance').length).toBeLessThan(60);
  expect(screen.getByText('1001 of 1001')).toBeTruthy();
});

test('an event of the run brings it up to date', async () => {
  const { change } = show();
  await screen.findByRole('heading', { name: 'demo' });
  change(run(instances, { state: 'Finalizing', lastEvent: 2 }));
  await waitFor(() => expect(screen.getAllByText('Finalizing').length).toBeGreaterThan(0));
});

test('ending a run is asked twice', async () => {
  const { terminate } = show();
  fireEvent.click(await screen.findByRole('button', { name: 'Terminate' }));
  expect(terminate).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole('button', { name: 'Yes' }));
  await waitFor(() => expect(terminate).toHaveBeenCalledWith(run([]).id));
});

test('nothing is offered that the user may not do, or that the run cannot', async () => {
  show(run(instances, { scalable: true }), []);
  await screen.findByRole('heading', { name: 'demo' });
  expect(screen.queryByRole('button', { name: /terminate|scale|cancel/i })).toBeNull();
});

test('what was aborted says so, and the abort can be cancelled', async () => {
  show(run(instances, { abort: { reason: 'wrong data', source: 'ss:abort', at: '2026-11-21T12:00:00.000Z' } }));
  expect((await screen.findByRole('alert')).textContent).toContain('Abort: wrong data');
  expect(await screen.findByRole('button', { name: 'Cancel the abort' })).toBeTruthy();
});

test('tabs are moved through with the arrow keys', async () => {
  show();
  const overview = await screen.findByRole('tab', { name: 'Overview' });
  fireEvent.keyDown(overview, { key: 'ArrowLeft' });
  expect(screen.getByRole('tab', { name: 'Reports' }).getAttribute('aria-selected')).toBe('true');
  expect(document.activeElement?.textContent).toBe('Reports');
});
