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

function show(detail = run(instances), rights: readonly RunRight[] = ['update', 'scale', 'terminate'], late = false) {
  const terminate = vi.fn<(id: string) => Promise<typeof detail>>(async () => detail);
  let current = detail;
  let followed = 0;
  const arrival = Promise.withResolvers<void>();
  if (!late) arrival.resolve();
  const news = Promise.withResolvers<EventView>();
  const client = {
    runs: { get: () => arrival.promise.then(() => current), terminate },
    logs: async () => [
      { seq: 1, at: detail.createdAt, instance: 'web.1', source: '1-deploy-0', stream: 'stderr', text: 'licence.key: no such file\n' },
    ],
    parameters: { get: async () => ({ value: null }) },
    reports: { list: async () => [] },
    async *followEvents(_id: string, { signal }: { signal: AbortSignal }) {
      followed += 1;
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
  return { terminate, change, followed: () => followed, arrive: () => arrival.resolve() };
}

test('a thousand instances are a few rows and one summary', async () => {
  show();
  await screen.findByRole('heading', { name: 'demo' });
  expect(screen.getByRole('img', { name: '1000 working' })).toBeTruthy();
  expect(document.querySelectorAll('.pl-instance').length).toBeLessThan(60);
  expect(screen.getByText('1001 of 1001')).toBeTruthy();
});

test('what changes meanwhile takes the focus from nobody who is asked whether the run shall end', async () => {
  const { change, terminate } = show();
  fireEvent.click(await screen.findByRole('button', { name: 'Terminate' }));
  expect(document.activeElement?.textContent).toBe('Yes');
  screen.getByRole('button', { name: 'No' }).focus();
  change(run([instance('web.1', { message: 'Something new' })], { lastEvent: 2 }));
  await waitFor(() => expect(document.body.textContent).toContain('Something new'));
  expect(document.activeElement?.textContent).toBe('No');
  fireEvent.click(screen.getByRole('button', { name: 'No' }));
  expect(document.activeElement?.textContent).toBe('Terminate');
  expect(terminate).not.toHaveBeenCalled();
});

test('of a run that was aborted there is to see why, and what its script wrote last', async () => {
  const failed = run([instance('web.1', { abort: 'exit 3' })], {
    abort: { reason: 'No licence', source: 'web.1:abort', at: '2026-11-21T12:00:00.000Z' },
  });
  show(failed);
  expect((await screen.findByRole('alert')).textContent).toContain('Abort: No licence');
  await screen.findByText('Last output of web.1');
  expect(screen.getByText('licence.key: no such file')).toBeTruthy();
});

test('what has happened is asked for when the run is there, and not before', async () => {
  const { followed, arrive } = show(run(instances), [], true);
  await Promise.resolve();
  expect(followed()).toBe(0);
  arrive();
  await waitFor(() => expect(followed()).toBe(1));
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
