import { mkdtemp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { ReportFiles } from '../reports/report-files.ts';
import { createRun } from '../run/create.ts';
import { insertEvent, insertLog, insertReport, saveFacts } from '../store/run-rows.ts';
import { RunStore } from '../store/run-store.ts';
import { createCipher } from '../store/value-cipher.ts';
import { clientServerPlan } from '../testing/plans.ts';
import { key, ManualClock, TestDatabase } from '../testing/test-engine.ts';
import { Retention } from './retention.ts';

const day = 24 * 3_600_000;
const policy = { runsMs: 90 * day, logsMs: 30 * day, reportsMs: 60 * day };
const idOf = (n: number): string => `a1b2c3d4-0000-4000-8000-00000000000${n}`;

/** @param stubborn a run whose reports cannot be removed */
async function world(ages: readonly (number | null)[], stubborn?: string) {
  const clock = new ManualClock();
  clock.pass(1000 * day);
  const database = new TestDatabase();
  const store = await RunStore.open(database, createCipher(key));
  const root = await mkdtemp(join(tmpdir(), 'paceline-retention-'));
  for (const [n, age] of ages.entries()) {
    const run = createRun({ id: idOf(n), name: 'r', plan: clientServerPlan(), by: 'x', tags: [], now: 0 });
    await store.insertRun(run, 'me');
    if (age !== null) run.facts = { ...run.facts, state: 'Done', endedAt: clock.now() - age };
    const chunk = { instance: 'apache.1', source: 's', stream: 'stdout' as const, start: 0, bytes: 1, at: 0, text: 'x' };
    await store.write([
      saveFacts(run),
      ...Array.from({ length: 1200 }, (_, seq) => insertLog(run, { ...chunk, seq: seq + 1 })),
      insertReport(run, { name: 'r.tgz', instance: 'apache.1', bytes: 1, sha256: '', at: 0 }),
      insertEvent(run, { seq: 2, at: 0, type: 'instance.joined', severity: 'info', message: '', data: { instance: 'apache.1' } }),
    ]);
    await mkdir(join(root, run.id));
    await writeFile(join(root, run.id, 'r.tgz'), 'x');
  }
  const reports = new ReportFiles(root, 1);
  const remove = reports.remove.bind(reports);
  reports.remove = (run) => (run === stubborn ? Promise.reject(new Error('EACCES')) : remove(run));
  const blocked: string[] = [];
  const retention = new Retention({ store, clock, policy, reports, warn: (message) => blocked.push(message) });
  const left = async () => ({
    files: await readdir(root),
    rows: Object.fromEntries(
      await Promise.all(
        ['runs', 'instances', 'events', 'logs', 'reports'].map(async (table) => {
          const column = table === 'runs' ? 'id' : 'run';
          return [table, (await database.all(`SELECT DISTINCT ${column} AS id FROM ${table} ORDER BY 1`, [])).map((row) => row['id'])];
        }),
      ),
    ),
  });
  return { retention, left, clock, blocked };
}

describe('what finished runs have left', () => {
  it('goes when its time is over, and nothing else does', async () => {
    const { retention, left } = await world([null, 10 * day, 40 * day, 70 * day, 100 * day]);
    await retention.sweep();
    const [active, fresh, old, older] = [0, 1, 2, 3].map(idOf);
    expect(await left()).toEqual({
      files: [active, fresh, old],
      rows: {
        runs: [active, fresh, old, older],
        instances: [active, fresh, old, older],
        events: [active, fresh, old, older],
        logs: [active, fresh],
        reports: [active, fresh, old],
      },
    });
  });

  it('goes soon after a start: an engine may be started again and again, and never live for an hour', async () => {
    const { retention, left, clock } = await world([100 * day]);
    retention.start();
    clock.pass(10_000);
    await vi.waitFor(async () => expect((await left()).rows['runs']).toEqual([]));
    await retention.stop();
  });

  it('goes by itself, and keeps going', async () => {
    const { retention, left, clock } = await world([89 * day]);
    retention.start();
    clock.pass(3_600_000);
    await retention.stop();
    expect((await left()).rows['runs']).toHaveLength(1);
    const later = await world([89 * day]);
    later.retention.start();
    for (let hour = 0; hour < 30 && (await later.left()).rows['runs']?.length === 1; hour++) {
      later.clock.pass(3_600_000);
      for (let i = 0; i < 50; i++) await new Promise(setImmediate);
    }
    expect((await later.left()).rows['runs']).toEqual([]);
    await later.retention.stop();
  });
});

it('one run whose files cannot be removed keeps no other', async () => {
  const { retention, left, blocked } = await world([100 * day, 95 * day, 10 * day], idOf(0));
  await retention.sweep();
  expect((await left()).rows['runs']).toEqual([idOf(0), idOf(2)]);
  expect(blocked).toHaveLength(2);
});
