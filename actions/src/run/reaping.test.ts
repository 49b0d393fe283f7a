import type { Client, ReapReport, RunSummary } from '@paceline/api';
import { PacelineError } from '@paceline/model';
import { expect, test } from 'vitest';
import { newRunId } from '../runner/job.ts';
import { reapClouds, reapRuns, type ReapPorts } from './reaping.ts';

const [over, atWork] = [newRunId({ run: 1, attempt: 1 }), newRunId({ run: 2, attempt: 1 })];
const orphan = (run: string): ReapReport['orphans'][number] => ({
  ...{ cloud: 'c', kind: 'machine', id: `m-${run.slice(-4)}`, name: 'm', run },
  ...{ reason: 'there is no run', outcome: 'found' },
});
const ports = (client: object, more: Partial<ReapPorts> = {}): ReapPorts => ({
  client: client as Client,
  job: { repository: 'octo/app' } as ReapPorts['job'],
  dry: false,
  kept: false,
  isOver: async (run) => run === 1,
  ...more,
});

/** A server, or an engine in the job, that shows two orphans until they are removed. */
function showing() {
  let orphans = [orphan(over), orphan(atWork)];
  const asked: [boolean, readonly string[] | undefined][] = [];
  const reap = async (remove: boolean, runs?: readonly string[]): Promise<ReapReport> => {
    asked.push([remove, runs]);
    const found = orphans.filter(({ run }) => runs?.includes(run) ?? true);
    if (remove) orphans = orphans.filter((one) => !found.includes(one));
    return { orphans: found, failures: [], accounts: [], seen: found.length };
  };
  return { asked, client: { reap } };
}

test('an engine in the job knows no runs, and removes by name what GitHub calls over', async () => {
  const { asked, client } = showing();
  const found = await reapClouds(ports(client), true);
  expect(found.rows.map(({ outcome }) => outcome)).toEqual(['removed', 'left alone: workflow run 2 is not over']);
  expect([found.removed, found.left]).toEqual([1, []]);
  expect(asked).toContainEqual([true, [over]]);
});

test('a server is asked to remove what it calls nobody’s, so that it can refuse where others may need it', async () => {
  const { asked, client } = showing();
  expect((await reapClouds(ports(client), false)).removed).toBe(2);
  expect(asked.filter(([remove]) => remove)).toEqual([[true, undefined]]);
  const shared = new PacelineError('PACELINE_REQUEST_INVALID', 'Machines of other servers carry the same tag');
  const guarded = { reap: async (remove: boolean) => (remove ? Promise.reject(shared) : showing().client.reap(false)) };
  await expect(reapClouds(ports(guarded), false)).rejects.toBe(shared);
});

test('a deployer is shown nothing of what is nobody’s, which fails nothing', async () => {
  const refusal = new PacelineError('PACELINE_FORBIDDEN', 'no operator');
  const client = { reap: () => Promise.reject(refusal) };
  expect(await reapClouds(ports(client), false)).toMatchObject({ rows: [], removed: 0, left: [], refusals: [] });
  await expect(reapClouds(ports(client), true)).rejects.toBe(refusal);
});

test('a dry run ends and removes nothing', async () => {
  const { asked, client } = showing();
  const found = await reapClouds(ports(client, { dry: true }), true);
  expect(found.rows[0]?.outcome).toBe('would be removed');
  expect(asked).toEqual([[false, undefined]]);
  const runs = [{ id: over, tags: ['github:octo/app'] }] as RunSummary[];
  const lost = await reapRuns(ports({ runs: { list: async () => runs } }, { dry: true }));
  expect(lost).toEqual({ rows: [{ kind: 'run', name: over, place: 'the server', run: over, outcome: 'would be ended' }], removed: 0 });
});

test('all pages of a server’s runs are looked at', async () => {
  const all = Array.from({ length: 501 }, (_, at) => ({ id: at === 500 ? over : crypto.randomUUID(), tags: ['github:octo/app'] }));
  const list = async ({ offset, limit }: { offset: number; limit: number }) => all.slice(offset, offset + limit);
  const lost = await reapRuns(ports({ runs: { list } }, { dry: true }));
  expect(lost.rows.map(({ name }) => name)).toEqual([over]);
});
