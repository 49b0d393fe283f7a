import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConnectorError, type ConnectorErrorCode } from '../connector/index.ts';
import { afterAnswer, closedCircuit, stateOf, type Circuit } from './circuit.ts';

const error = (code: ConnectorErrorCode): ConnectorError => new ConnectorError(code, 'no');
const times = (count: number, code: ConnectorErrorCode, circuit: Circuit = closedCircuit, now = 0): Circuit =>
  Array.from({ length: count }).reduce<Circuit>((before) => afterAnswer(before, error(code), now, now), circuit);

test('it opens after five failures in a row that say that the way is broken, and after no others', () => {
  expect(stateOf(times(4, 'unavailable'), 0)).toBe('closed');
  for (const code of ['unavailable', 'timeout', 'auth'] as const) expect(stateOf(times(5, code), 0)).toBe('open');
  for (const code of ['quota', 'capacity', 'throttled', 'invalid', 'internal'] as const) {
    expect(stateOf(times(100, code), 0)).toBe('closed');
    expect(stateOf(times(4, 'timeout', afterAnswer(times(4, 'timeout'), error(code), 0, 0)), 0)).toBe('closed');
  }
});

test('what was under way together counts as one failure: one machine may keep all of it', () => {
  const together = (before: Circuit, askedAt: number): Circuit =>
    Array.from({ length: 20 }).reduce<Circuit>((circuit) => afterAnswer(circuit, error('timeout'), askedAt, askedAt + 120_000), before);
  let circuit = closedCircuit;
  for (let round = 1; round <= 5; round++) {
    circuit = together(circuit, round * 120_000);
    expect([circuit.failures, stateOf(circuit, (round + 1) * 120_000)]).toEqual([round, round < 5 ? 'closed' : 'open']);
  }
});

test('each time that it is tried in vain it stays open for longer, up to five minutes', () => {
  let circuit = times(5, 'unavailable');
  const pauses: number[] = [];
  let now = 0;
  for (let i = 0; i < 7; i++) {
    pauses.push(circuit.openUntil - now);
    now = circuit.openUntil;
    expect(stateOf(circuit, now - 1)).toBe('open');
    expect(stateOf(circuit, now)).toBe('half-open');
    circuit = afterAnswer(circuit, error('timeout'), now, now);
  }
  expect(pauses).toEqual([15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
});

test('an answer closes it, whatever was before', () => {
  const answers = fc.array(fc.record({ code: fc.constantFrom('timeout', 'auth', 'quota', undefined), after: fc.nat(100_000) }));
  fc.assert(
    fc.property(answers, (list) => {
      let circuit = closedCircuit;
      let now = 0;
      for (const { code, after } of list) {
        now += after;
        circuit = afterAnswer(circuit, code === undefined ? undefined : error(code), now, now);
        // It is never left open for ever, and never opened by less than five failures.
        expect(circuit.openUntil).toBeLessThanOrEqual(now + 300_000);
        if (circuit.openUntil > 0) expect(circuit.failures).toBeGreaterThanOrEqual(5);
      }
      expect(afterAnswer(circuit, undefined, now, now)).toBe(closedCircuit);
    }),
  );
});
