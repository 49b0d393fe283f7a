import type { Client, EventView, LogView, RunDetail } from '@paceline/api';
import { expect, test } from 'vitest';
import { followRun, lastWords, type RunView } from '@paceline/door';
import { at, event, runDetail } from '../testing/run-detail.ts';
import { whichRun } from './which-run.ts';

const ready = event(2, 'Ready', { type: 'run.state', data: { state: 'Ready' } });
const log = (seq: number, instance: string, source: string, text: string): LogView => ({
  seq,
  at: at(seq),
  instance,
  source,
  stream: source.includes('stderr') ? 'stderr' : 'stdout',
  text,
});

/** A server with one run whose story is told at once. */
function server(run: RunDetail, events: EventView[], logs: LogView[] = []): Client {
  const following = async function* <T>(items: T[]): AsyncGenerator<T> {
    yield* items;
  };
  const some: Partial<Client> = {
    runs: { get: async () => run, list: async () => [] } as unknown as Client['runs'],
    followEvents: () => following(events),
    followLogs: () => following(logs.slice(0, 1)),
    logs: async (_run, { after = 0, limit = 2 } = {}) => logs.filter(({ seq }) => seq > after).slice(0, Math.min(limit, 2)),
  };
  return some as Client;
}

function listener(): RunView & { heard: string[] } {
  const heard: string[] = [];
  return {
    heard,
    wantsDetails: true,
    detail: ({ state }) => heard.push(`detail ${state}`),
    event: ({ message }) => heard.push(message),
    log: ({ text }) => heard.push(`log ${text}`),
    note: (text) => heard.push(text),
    close() {},
  };
}

test('a run that stays ready is followed until it is, with all that its scripts wrote by then', async () => {
  const run = runDetail([], { state: 'Ready' });
  const view = listener();
  const logs = [log(1, 'a.1', 's.stdout.log', 'one'), log(2, 'a.1', 's.stdout.log', 'two'), log(3, 'a.1', 's.stdout.log', 'three')];
  const client = server(run, [event(1, 'Executing'), ready, event(3, 'never seen')], logs);
  expect(await followRun({ client, run: 'r', view, logs: true, endsReady: () => true })).toBe(run);
  expect(view.heard.filter((text) => /^[A-Z]/.test(text))).toEqual(['Executing', 'Ready']);
  expect(view.heard.filter((text) => text.startsWith('log'))).toEqual(['log one', 'log two', 'log three']);
  expect(view.heard.at(-1)).toBe('detail Ready');
});

test('a run that is ready only on its way to the end is followed to the end', async () => {
  const view = listener();
  const client = server(runDetail([], { state: 'Finalizing', outcome: 'Done' }), [ready, event(3, 'Done')]);
  await followRun({ client, run: 'r', view, endsReady: () => true });
  expect(view.heard).toContain('Done');
  const other = listener();
  await followRun({
    client: server(runDetail([], { state: 'Ready' }), [ready, event(3, 'Done')]),
    run: 'r',
    view: other,
    endsReady: () => false,
  });
  expect(other.heard).toContain('Done');
});

test('the last words are those of the script that failed, not of the report after it', async () => {
  const run = runDetail([], { abort: { reason: 'x', source: 'a.1:abort', at: at(3) } });
  const aborted: RunDetail = { ...run, instances: [{ ...runDetail([]).instances[0], name: 'a.1' } as RunDetail['instances'][number]] };
  const lines = Array.from({ length: 30 }, (_, index) => log(index + 2, 'a.1', '3-deploy-0.stderr.log', `line ${index}\n`));
  const logs = [
    log(1, 'a.1', '3-pre-0.stderr.log', 'earlier\n'),
    ...lines,
    log(40, 'b.1', '3-deploy-0.stderr.log', 'other\n'),
    log(41, 'a.1', '4-report-0.stderr.log', 'later\n'),
  ];
  const words = await lastWords(server(aborted, [], logs), aborted);
  expect(words.map(({ text }) => text)).toEqual(Array.from({ length: 10 }, (_, index) => `line ${index + 20}`));
  expect(await lastWords(server(aborted, [], logs), { ...aborted, abort: { reason: 'x', source: 'ss:abort', at: at(3) } })).toEqual([]);
});

test('the only active run need not be named', async () => {
  const client = (...runs: object[]): Client => ({ runs: { list: async () => runs } }) as unknown as Client;
  expect(await whichRun(client(), 'abc')).toBe('abc');
  expect(await whichRun(client(runDetail([])), undefined)).toBe(runDetail([]).id);
  await expect(whichRun(client(), undefined)).rejects.toThrow('There is no active run');
  await expect(whichRun(client(runDetail([]), runDetail([], { name: 'other' })), undefined)).rejects.toThrow(
    /^Several runs are active:\n {2}3f2a91c0 {2}client-server {2}Executing\n {2}3f2a91c0 {2}other/,
  );
});
