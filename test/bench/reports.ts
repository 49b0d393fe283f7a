import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { EventView } from '@paceline/api';
import { processesWith } from '../support/processes.ts';
import { deploymentOf } from '../support/recipes.ts';
import { System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { forgetPeak, peakMiB, residentMiB } from './host.ts';
import type { Figure } from './table.ts';

const chunkMiB = 64;
const limitMs = 10 * 60_000;

/** A report of so many MiB that gzip cannot make smaller: how long it takes beside `tar | curl`, and what it takes of memory. */
export async function reports(mib: number): Promise<Figure[]> {
  const system = await System.start();
  try {
    // Blocks that repeat farther apart than gzip looks back.
    const fill = `head -c ${chunkMiB}M /dev/urandom > block; for i in $(seq ${mib / chunkMiB}); do cat block; done > "$PACELINE_REPORT_DIR/blob"; rm block`;
    const files = '-C "$PACELINE_REPORT_DIR" blob';
    const time = (name: string, command: string): string => `a=$(date +%s%N); ${command}; b=$(date +%s%N); echo "${name} $((b - a))"`;
    await using sink = await openSink(join(system.folder, 'sink'));
    const curl = `curl -sS --fail -T - ${sink.url} > /dev/null`;
    const script = [
      fill,
      time('plain', `tar c ${files} | ${curl}`),
      time('gzip', `tar c ${files} | gzip -2 | ${curl}`),
      time('tar', `tar cz ${files} | ${curl}`),
      'ss-set ready 1; ss-get --timeout 600 go',
    ];
    const run = await system.up(
      await deploymentOf({ a: { parameters: { ready: {}, go: {} }, scripts: { deploy: script.join('\n') } } }, { timeout: '30m' }),
    );
    await until(async () => assert.equal(await run.get('a.1:ready'), '1'), limitMs, 100);
    const [agent] = processesWith(`${system.localRoot}/`).filter(({ command }) => command.includes('reside') && command.includes('node'));
    const watched = [agent?.pid ?? 0, system.pid];
    const before = watched.map((pid) => residentMiB(pid).toFixed(0));
    for (const pid of watched) forgetPeak(pid);
    await run.set('a.1:go', '1');
    const peaks = await until(async () => {
      assert.ok((await run.events()).some(({ type }) => type === 'report.received'));
      return watched.map((pid) => peakMiB(pid).toFixed(0));
    }, limitMs);
    await run.reaches('Ready');
    const events = await run.events();
    const at = (found: EventView | undefined): number => Date.parse(found?.at ?? '');
    const begun = events.find(({ type, data }) => type === 'run.state' && data['state'] === 'SendingReports');
    const ours = (at(events.find(({ type }) => type === 'report.received')) - at(begun)) / 1000;
    const seconds = new Map((await run.output('a.1')).split('\n').map((line) => [line.split(' ')[0], Number(line.split(' ')[1]) / 1e9]));
    const beside = (name: string): string => `${((seconds.get(name) ?? Number.NaN) / ours).toFixed(2)}`;
    return [
      {
        metric: `report of ${mib} MiB, speed beside tar | gzip -2 | curl, tar z | curl, tar | curl`,
        value: `${beside('gzip')} / ${beside('tar')} / ${beside('plain')} (${ours.toFixed(1)} s)`,
        limit: 'gzip; aim 0.8',
      },
      {
        metric: 'of it, memory of the agent and of the server, peak (before)',
        value: `${peaks[0]} (${before[0]}) / ${peaks[1]} (${before[1]}) MiB`,
        limit: 'Node itself; aim 64 MiB each',
      },
    ];
  } finally {
    await system.close();
  }
}

/** Stores on disk what is sent to it, as our server does. */
async function openSink(file: string): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((request, response) => {
    pipeline(request, createWriteStream(file, { flush: true })).then(
      () => response.end(),
      () => response.destroy(),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.close();
      await rm(file, { force: true });
    },
  };
}
