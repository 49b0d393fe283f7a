import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Door } from '../engines/door.ts';
import { Faults } from '../faults/faults.ts';
import { faultKinds } from '../faults/kinds.ts';
import { Kernel } from '../kernel/kernel.ts';
import { Process } from '../kernel/process.ts';
import { Random } from '../kernel/random.ts';
import { Network, type Client, type Server } from './network.ts';
import { Stream, type Wire } from './stream.ts';

const limits = { ms: 10_000_000, events: 100_000 };
const networkFaults = faultKinds.filter((kind) => kind.startsWith('network.'));

interface Bench {
  kernel: Kernel;
  network: Network;
  faults: Faults;
  client: Client;
  server: Server;
  process: Process;
}

function benchOf(seed: number, rate: number): Bench {
  const kernel = new Kernel();
  const random = new Random(seed);
  const faults = new Faults(kernel, random, new Map(networkFaults.map((kind) => [kind, rate] as const)), rate === 0 ? 0 : 1e9, undefined);
  const process = new Process(kernel, 'engine');
  const server: Server = {
    place: 'engine1',
    enter: (action) => process.enter(action),
    onDeath: (callback) => {
      process.onDeath(callback);
      return () => {};
    },
    take: (action) => {
      if (process.isDead) return false;
      process.enter(() => action({} as Door));
      return true;
    },
  };
  const network = new Network({ kernel, random, faults });
  return { kernel, network, faults, process, server, client: { process: new Process(kernel, 'agent'), place: 'm-1' } };
}

test('without faults every request is served once and answered', async () => {
  const { kernel, network, client, server } = benchOf(1, 0);
  const served: number[] = [];
  const answers = Array.from({ length: 100 }, (_, number) =>
    network.call(client, server, async () => {
      served.push(number);
      return number * 2;
    }),
  );
  await kernel.run(limits);
  expect(await Promise.all(answers)).toEqual(answers.map((_, number) => number * 2));
  expect(served.toSorted((one, other) => one - other)).toEqual([...answers.keys()]);
});

test('with faults a request is answered or fails, once, and nobody is answered who was not served', async () => {
  let [failures, doubles] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 5 }), async (seed, rate) => {
      const { kernel, network, client, server } = benchOf(seed, rate);
      const served = new Map<number, number>();
      const settled = Array.from({ length: 40 }, (_, number) =>
        network
          .call(client, server, async () => {
            served.set(number, (served.get(number) ?? 0) + 1);
            return number;
          })
          .catch(() => (failures++, 'failed' as const)),
      );
      await kernel.run(limits);
      for (const [number, outcome] of (await Promise.all(settled)).entries()) {
        expect(outcome).toBeOneOf([number, 'failed']);
        if (outcome !== 'failed') expect(served.get(number)).toBeGreaterThan(0);
        expect(served.get(number) ?? 0).toBeLessThanOrEqual(2);
        if (served.get(number) === 2) doubles++;
      }
    }),
    { numRuns: 40 },
  );
  expect(failures).toBeGreaterThan(0);
  expect(doubles).toBeGreaterThan(0);
});

test('nobody hears from a server that is dead, or that is out of reach', async () => {
  const dead = benchOf(1, 0);
  dead.process.kill();
  const refused = dead.network.call(dead.client, dead.server, async () => 1).catch(String);
  await dead.kernel.run(limits);
  expect(await refused).toContain('refused');

  const apart = benchOf(1, 0);
  apart.network.cutOff('m-1', 200_000);
  const outcomes = Array.from({ length: 20 }, () =>
    apart.network.call(apart.client, apart.server, async () => apart.kernel.elapsed).catch(() => 'failed' as const),
  );
  await apart.kernel.run(limits);
  expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['failed']));
});

test('a stream tells in order and without gaps for as long as it lasts, and says once that it is over', async () => {
  let [cut, whole] = [0, 0];
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.nat(5), async (seed, rate) => {
      const { kernel, network, faults, client, server } = benchOf(seed, rate);
      const came: unknown[] = [];
      let ends = 0;
      let wire: Wire | undefined;
      const handlers = { event: (_: string, data: unknown) => void came.push(data), down: () => void ends++ };
      const stream = new Stream({ kernel, network, faults }, client, server, handlers, async (_door, opened) => {
        wire = opened;
      });
      for (let number = 0; number < 50; number++) kernel.at(100_000 + number * 50, () => wire?.send('event', number));
      kernel.at(300_000, () => stream.close());
      await kernel.run(limits);
      expect(came).toEqual([...came.keys()]);
      expect(ends).toBeLessThanOrEqual(1);
      if (rate === 0) expect(came.length).toBe(50);
      if (came.length < 50) {
        cut++;
        expect(ends).toBe(1);
      } else whole++;
    }),
    { numRuns: 60 },
  );
  expect(cut).toBeGreaterThan(0);
  expect(whole).toBeGreaterThan(0);
});
