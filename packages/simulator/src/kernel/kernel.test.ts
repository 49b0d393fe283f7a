import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Kernel } from './kernel.ts';

const limits = { ms: 1_000_000, events: 1000 };

test('what happens, happens in the order of time, and what is taken back does not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ at: fc.nat(1000), takenBack: fc.boolean(), touches: fc.boolean() })), async (wanted) => {
      const kernel = new Kernel();
      const happened: [number, number][] = [];
      for (const [index, { at, takenBack, touches }] of wanted.entries()) {
        const cancel = kernel.at(at, () => {
          if (touches) kernel.touch();
          happened.push([kernel.elapsed, index]);
        });
        if (takenBack) cancel();
      }
      expect(await kernel.run(limits)).toBe('idle');
      const expected = wanted
        .map(({ at, takenBack }, index) => ({ at, takenBack, index }))
        .filter(({ takenBack }) => !takenBack)
        .toSorted((one, other) => one.at - other.at || one.index - other.index);
      expect(happened).toEqual(expected.map(({ at, index }) => [at, index]));
    }),
  );
});

test('promises come to rest before the next event, however long their chains are', async () => {
  const kernel = new Kernel();
  const order: string[] = [];
  kernel.after(1, () => {
    kernel.touch();
    void (async () => {
      for (let turn = 0; turn < 200; turn++) await Promise.resolve();
      order.push('first');
    })();
  });
  kernel.after(1, () => void order.push('second'));
  await kernel.run(limits);
  expect(order).toEqual(['first', 'second']);
});

test('what is late happens now, not in the past', async () => {
  const kernel = new Kernel();
  let at = -1;
  kernel.after(10, () => void kernel.at(3, () => (at = kernel.elapsed)));
  await kernel.run(limits);
  expect(at).toBe(10);
});

test('a simulation that does not end is ended', async () => {
  const again = (kernel: Kernel, ms: number): void => void kernel.after(ms, () => again(kernel, ms));
  const slow = new Kernel();
  again(slow, 10_000);
  expect(await slow.run(limits)).toBe('late');
  const busy = new Kernel();
  again(busy, 0);
  expect(await busy.run(limits)).toBe('busy');
  expect(busy.count).toBe(limits.events + 1);
});

test('it can be stopped, and what an event throws is thrown', async () => {
  const stopped = new Kernel();
  stopped.after(1, () => stopped.stop());
  stopped.after(2, () => expect.unreachable());
  expect(await stopped.run(limits)).toBe('stopped');
  const broken = new Kernel();
  broken.after(1, () => {
    throw new Error('broken');
  });
  await expect(broken.run(limits)).rejects.toThrow('broken');
});
