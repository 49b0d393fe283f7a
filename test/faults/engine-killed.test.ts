import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { deploymentOf, type TestNode } from '../support/recipes.ts';
import { System } from '../support/system.ts';

/** How often it is killed while values are written. */
const kills = Number(process.env['PACELINE_TEST_KILLS'] ?? 3);

let system: System;
beforeAll(async () => {
  system = await System.start();
});
afterAll(() => system.close());

/** Three machines that note every script that runs, and exchange a value, with a gate that the test opens. */
function gated(gate: 'preInstall' | 'deploy' | 'report'): Record<string, TestNode> {
  const note = (phase: string): string =>
    `echo ${phase} >> "$HOME/ran"; ${phase === gate ? 'ss-get --timeout 0 --ignore-abort go' : 'true'}`;
  return {
    server: {
      parameters: { go: {}, token: { output: true } },
      scripts: { preInstall: note('preInstall'), deploy: `${note('deploy')}; ss-set token abc`, report: note('report') },
    },
    client: {
      multiplicity: 2,
      parameters: { go: {}, token: {} },
      inputs: { token: { from: 'server:token' } },
      scripts: { preInstall: note('preInstall'), deploy: `${note('deploy')}; test "$(ss-get token)" = abc`, report: note('report') },
    },
  };
}

const names = ['server.1', 'client.1', 'client.2'];

async function expectReadyAndEverythingOnce(id: string): Promise<void> {
  const run = system.run(id);
  const detail = await run.reaches('Ready');
  expect(detail.abort).toBeNull();
  for (const instance of detail.instances) {
    const home = join(system.localRoot, 'machines', instance.machineId ?? '');
    const ran = await findFile(home);
    expect(ran).toBe('preInstall\ndeploy\nreport\n');
  }
  expect((await run.reports()).map(({ instance }) => instance).toSorted()).toEqual(names.toSorted());
}

async function findFile(folder: string): Promise<string> {
  const [path] = globSync('**/ran', { cwd: folder });
  return readFile(join(folder, path ?? 'ran'), 'utf8');
}

describe('a server that is killed', () => {
  it.each(['preInstall', 'deploy', 'report'] as const)(
    'while %s scripts run goes on when it is started again, and nothing runs twice',
    async (gate) => {
      const run = await system.up(await deploymentOf(gated(gate)));
      await vi.waitFor(
        async () =>
          expect((await run.detail()).instances.every(({ blockedIn }) => blockedIn.some((key) => key.endsWith(':go')))).toBe(true),
        {
          timeout: 20_000,
          interval: 20,
        },
      );
      await system.kill();
      await system.serve();
      for (const name of names) await run.set(`${name}:go`, 'now');
      await expectReadyAndEverythingOnce(run.id);
      await run.down();
      await run.reaches('Done');
    },
  );

  it('while it launches machines finds them again, and launches no second set', async () => {
    const run = await system.up(await deploymentOf(gated('deploy')));
    await system.kill();
    await system.serve();
    await vi.waitFor(async () => expect((await run.detail()).instances.every(({ blockedIn }) => blockedIn.length > 0)).toBe(true), {
      timeout: 20_000,
      interval: 20,
    });
    for (const name of names) await run.set(`${name}:go`, 'now');
    await expectReadyAndEverythingOnce(run.id);
    await run.down();
    await run.reaches('Done');
  });

  it('while a run is Ready can still take it down', async () => {
    const run = await system.up(await deploymentOf({ a: { scripts: { deploy: 'true' } } }));
    await run.reaches('Ready');
    await system.kill();
    await system.serve();
    expect((await run.detail()).state).toBe('Ready');
    await run.down();
    await run.reaches('Done');
  });

  it('while it takes machines down takes the rest down', async () => {
    const run = await system.up(
      await deploymentOf({ a: { multiplicity: 5, scripts: { deploy: 'trap "" TERM; (trap "" TERM; sleep 3000) & true' } } }),
    );
    await run.reaches('Ready');
    await run.down();
    await system.kill();
    await system.serve();
    expect((await run.reaches('Done')).instances.every(({ stage }) => stage === 'gone')).toBe(true);
  });

  it('loses no value that was acknowledged', { timeout: 30_000 + kills * 10_000 }, async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `a.1:k${index}`);
    const parameters = Object.fromEntries([...keys.map((key) => [key.slice(4), {}] as const), ['x', {}]]);
    const run = await system.up(await deploymentOf({ a: { parameters, scripts: { deploy: 'ss-get --timeout 0 x' } } }));
    await run.reaches('Executing');
    const acknowledged = new Map(keys.map((key) => [key, 0]));
    const total = (): number => [...acknowledged.values()].reduce((sum, value) => sum + value, 0);
    for (let kill = 0; kill < kills; kill++) {
      const before = total();
      const write = async (key: string): Promise<never> => {
        for (let value = (acknowledged.get(key) ?? 0) + 1; ; value++) {
          await run.set(key, String(value));
          acknowledged.set(key, value);
        }
      };
      const written = Promise.allSettled(keys.map(write));
      await vi.waitFor(() => expect(total() - before).toBeGreaterThan(50 + 37 * (kill % 10)), { interval: 1, timeout: 20_000 });
      await system.kill();
      await written;
      await system.serve();
      for (const key of keys) {
        const stored = Number((await run.get(key)) ?? 0);
        const last = acknowledged.get(key) ?? 0;
        expect([last, last + 1], `${key} after kill ${kill}`).toContain(stored);
        acknowledged.set(key, stored);
      }
    }
    await run.set('a.1:x', 'go');
    await run.reaches('Ready');
  });
});
