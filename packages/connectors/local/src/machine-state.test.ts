import { expect, test } from 'vitest';
import { machineState, type Evidence } from './machine-state.ts';

const up: Evidence = { started: true, booting: false, exit: 0, alive: false, supervised: true, ended: false, lastLine: 'bye' };

test.each<[string, Partial<Evidence>, string]>([
  ['an intent', { started: false }, 'pending'],
  ['user data that runs', { booting: true }, 'running'],
  ['user data that ran', {}, 'running'],
  ['a daemon without a supervisor', { supervised: false, alive: true }, 'running'],
  ['nothing that lives (the host was restarted)', { supervised: false }, 'stopped'],
  ['being ended', { ended: true, alive: true }, 'stopping'],
  ['ended', { ended: true, exit: 143 }, 'stopped'],
  ['user data that failed', { exit: 1 }, 'error: bye'],
  ['user data that failed silently', { exit: 7, lastLine: '' }, 'error: the user data ended with status 7'],
])('%s', (_, change, expected) => {
  const { state, fault } = machineState({ ...up, ...change });
  expect(fault === undefined ? state : `${state}: ${fault}`).toBe(expected);
});

test('user data that is not there any more but left no status was killed', () => {
  const { exit: _, ...killed } = up;
  expect(machineState(killed)).toEqual({ state: 'error', fault: 'the user data was killed before it ended' });
  expect(machineState({ ...killed, booting: true })).toEqual({ state: 'running' });
});
