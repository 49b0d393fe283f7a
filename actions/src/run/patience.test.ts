import { PacelineError } from '@paceline/model';
import { expect, onTestFinished, test, vi } from 'vitest';
import { patiently } from './patience.ts';

const away = new PacelineError('PACELINE_UNREACHABLE', 'https://x cannot be reached: ECONNREFUSED');

test('a server that is away is asked until it is there again, or there is no time left', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const pause = async (ms: number): Promise<void> => void vi.advanceTimersByTime(ms);
  let asked = 0;
  const ask = async (): Promise<string> => {
    asked += 1;
    if (asked < 5) throw away;
    return 'here';
  };
  expect(await patiently(ask, performance.now() + 60_000, pause)).toBe('here');
  expect(asked).toBe(5);
  const end = performance.now() + 60_000;
  await expect(patiently(() => Promise.reject(away), end, pause)).rejects.toBe(away);
  expect(end - performance.now()).toBeLessThan(10_000);
  expect(performance.now()).toBeLessThanOrEqual(end);
});

test('a server that refuses is not asked again', async () => {
  let asked = 0;
  const refusal = new PacelineError('PACELINE_FORBIDDEN', 'no');
  const ask = async (): Promise<never> => {
    asked += 1;
    throw refusal;
  };
  await expect(patiently(ask, performance.now() + 60_000)).rejects.toBe(refusal);
  expect(asked).toBe(1);
});
