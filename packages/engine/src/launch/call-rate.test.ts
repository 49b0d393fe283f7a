import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fullRate, nextCallAt, quickened, slowed, withCall, type CallRate, type RateLimits } from './call-rate.ts';

const limits: RateLimits = { perSecond: 10, burst: 5 };

/** Calls as fast as it may. @returns when */
function callFor(ms: number, start: CallRate, answer = (rate: CallRate, _now: number): CallRate => rate): number[] {
  const times: number[] = [];
  let rate = start;
  for (let now = nextCallAt(rate, limits, 0); now < ms; now = nextCallAt(rate, limits, now)) {
    times.push(now);
    rate = answer(withCall(rate, limits, now), now);
  }
  return times;
}

test('in any while there are no more calls than the burst and what the speed allows', () => {
  const events = fc.array(fc.record({ after: fc.nat(400), ask: fc.boolean(), complaint: fc.boolean(), wait: fc.nat(2000) }));
  fc.assert(
    fc.property(events, (steps) => {
      let now = 0;
      let rate = fullRate(limits, now);
      const calls: number[] = [];
      for (const { after, ask, complaint, wait } of steps) {
        now += after;
        if (complaint) {
          rate = slowed(rate, limits, now, wait);
          expect(nextCallAt(rate, limits, now)).toBeGreaterThanOrEqual(now + wait);
        } else rate = quickened(rate, limits);
        if (ask && nextCallAt(rate, limits, now) <= now) {
          calls.push(now);
          rate = withCall(rate, limits, now);
        }
        expect(rate.perSecond).toBeGreaterThan(0);
        expect(rate.perSecond).toBeLessThanOrEqual(limits.perSecond);
      }
      for (const [at, from] of calls.entries()) {
        for (let to = at; to < calls.length; to += 1) {
          const ms = (calls[to] ?? 0) - from;
          expect(to - at + 1).toBeLessThanOrEqual(limits.burst + (ms / 1000) * limits.perSecond + 1);
        }
      }
    }),
  );
});

test('at the moment that it names, the next call may be made', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300)), fc.nat(3000), (pauses, wait) => {
      let now = 0;
      let rate = slowed(fullRate(limits, now), limits, now, wait);
      for (const pause of pauses) {
        now += pause;
        const at = nextCallAt(rate, limits, now);
        expect(at).toBeGreaterThanOrEqual(now);
        expect(nextCallAt(rate, limits, at)).toBe(at);
        now = at;
        rate = withCall(rate, limits, now);
      }
    }),
  );
});

test('a cloud that takes three calls a second is soon asked little more often than that', () => {
  const taken: number[] = [];
  const refused: number[] = [];
  callFor(60_000, fullRate(limits, 0), (rate, now) => {
    const isTooMuch = taken.filter((at) => at > now - 1000).length >= 3;
    (isTooMuch ? refused : taken).push(now);
    return isTooMuch ? slowed(rate, limits, now) : quickened(rate, limits);
  });
  expect(taken.length).toBeGreaterThan(60);
  expect(refused.filter((at) => at > 10_000).length).toBeLessThan(taken.length / 2);
});

test('a clock that is set back stops nothing', () => {
  const rate = withCall(fullRate(limits, 1_000_000), limits, 1_000_000);
  expect(nextCallAt(rate, limits, 0)).toBe(0);
});

test('nobody waits longer than ten minutes, whatever the cloud asks for', () => {
  const rate = slowed(fullRate(limits, 0), limits, 0, 3_600_000);
  expect(nextCallAt(rate, limits, 0)).toBeLessThan(11 * 60_000);
});
