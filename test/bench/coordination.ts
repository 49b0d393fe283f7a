import assert from 'node:assert/strict';
import { deploymentOf } from '../support/recipes.ts';
import { lightMachines } from '../support/light-cloud.ts';
import { System } from '../support/system.ts';
import { until } from '../support/until.ts';
import { startMembers } from './member-process.ts';
import { ms, quantile, type Figure } from './table.ts';

const writers = 50;
const rounds = 300;

/** Wake latency and durable sets, through the real server and its real store, with members in processes of their own. */
export async function coordination(): Promise<Figure[]> {
  const system = await System.start();
  const [waiting, writing] = [startMembers(), startMembers()];
  try {
    const inputs = Object.fromEntries(Array.from({ length: rounds }, (_, index) => [`k${index}`, {}]));
    const run = await system.up(
      await deploymentOf({
        writer: { multiplicity: writers, parameters: { ...inputs, n: {} } },
        waiter: { parameters: Object.fromEntries(Object.keys(inputs).map((key) => [key, {}])), inputs: mapped(inputs) },
      }),
      {},
      'light',
    );
    await launched(system, writers + 1);
    const configs = lightMachines(system.lightRoot);
    await waiting.ask({ do: 'join', configs: configs.filter(({ instance }) => instance === 'waiter.1') });
    await writing.ask({
      do: 'join',
      configs: configs.filter(({ instance }) => instance.startsWith('writer')).toSorted((a, b) => number(a) - number(b)),
    });
    const wakes: number[] = [];
    const acks: number[] = [];
    for (let round = 0; round < rounds; round++) {
      await waiting.ask({ do: 'wait', key: `waiter.1:k${round}` });
      const woken = waiting.next();
      const set = await writing.ask({ do: 'set', key: `writer.1:k${round}`, value: 'x'.repeat(64) });
      wakes.push((await woken).at - set.at);
      acks.push(set.latencies?.[0] ?? Number.NaN);
    }
    const seconds = 3;
    const sets = await writing.ask({ do: 'sets', seconds, name: 'n' });
    await run.down();
    return [
      {
        metric: 'set to woken get, p50 / p99',
        value: `${ms(quantile(wakes, 0.5))} / ${ms(quantile(wakes, 0.99))}`,
        limit: 'two HTTP requests of node:http on one core, one fsync',
      },
      {
        metric: 'acknowledgement of a set, p50 / p99',
        value: `${ms(quantile(acks, 0.5))} / ${ms(quantile(acks, 0.99))}`,
        limit: 'the fsync',
      },
      {
        metric: `durable sets a second, ${writers} writers`,
        value: `${Math.round((sets.count ?? 0) / seconds)}`,
        limit: `server and writers share the cores; p99 ${ms(quantile(sets.latencies ?? [], 0.99), 1)}`,
      },
    ];
  } finally {
    waiting.stop();
    writing.stop();
    await system.close();
  }
}

const number = ({ instance }: { instance: string }): number => Number(instance.split('.')[1]);

function mapped(inputs: Record<string, unknown>): Record<string, { from: string }> {
  return Object.fromEntries(Object.keys(inputs).map((key) => [key, { from: `writer:${key}` }]));
}

function launched(system: System, count: number): Promise<void> {
  return until(() => assert.equal(lightMachines(system.lightRoot).length, count), 30_000, 5);
}
