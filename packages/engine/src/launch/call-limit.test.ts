import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { systemClock } from '../clock.ts';
import { ManualClock } from '../testing/test-engine.ts';
import { withinLimit, type CallFrame } from './call-limit.ts';

const frame = (): CallFrame & { clock: ManualClock; stop: AbortController } => {
  const stop = new AbortController();
  return { clock: new ManualClock(), log: { info: () => {}, warn: () => {} }, signal: () => stop.signal, stop };
};
const never = (): Promise<never> => new Promise(() => {});

test('a call is told to give up when its time is over, and when the engine stops', async () => {
  for (const end of ['late', 'stopped'] as const) {
    const calls = frame();
    let told: AbortSignal | undefined;
    const outcome = withinLimit(calls, 'describe', ({ signal }) => ((told = signal), never())).catch((error: Error) => error.message);
    if (end === 'late') calls.clock.pass(60_001);
    else calls.stop.abort(new Error('the engine stops'));
    expect(await outcome).toBe(end === 'late' ? 'the cloud has not answered to describe within 60 s' : 'the engine stops');
    expect(told?.aborted).toBe(true);
  }
});

test('nothing is kept of a call whose connector has left a listener behind', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const calls = { ...frame(), clock: systemClock };
  let signal: WeakRef<AbortSignal> | undefined;
  await withinLimit(calls, 'describe', async (context) => {
    signal = new WeakRef(context.signal);
    context.signal.addEventListener('abort', () => calls.log.info('given up'));
  });
  await vi.waitFor(() => {
    collect();
    expect(signal?.deref() === undefined).toBe(true);
  });
});
