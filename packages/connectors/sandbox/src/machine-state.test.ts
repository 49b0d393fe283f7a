import { expect, test } from 'vitest';
import { machineState, type Evidence } from './machine-state.ts';

const base: Evidence = { ended: false, started: 'boot-1', alive: true, boot: 'boot-1' };

test.each<[string, Partial<Evidence> & { never?: boolean }, ReturnType<typeof machineState>]>([
  ['it was written down only', { never: true, alive: false }, { state: 'pending' }],
  ['it lives', {}, { state: 'running' }],
  ['its user data failed', { fault: 'no' }, { state: 'error', fault: 'no' }],
  ['it is being ended', { ended: true }, { state: 'stopping' }],
  ['it was ended', { ended: true, alive: false }, { state: 'stopped' }],
  ['it ended by itself', { alive: false, exit: { why: 'off', failed: false } }, { state: 'stopped', fault: 'off' }],
  ['it could not start', { alive: false, exit: { why: 'no', failed: true } }, { state: 'error', fault: 'no' }],
  ['nobody saw it end', { alive: false }, { state: 'stopped', fault: 'its supervisor was killed' }],
  ['nobody could', { alive: false, boot: 'boot-2' }, { state: 'stopped', fault: 'the host was restarted' }],
])('%s', (_, { never, ...evidence }, expected) => {
  const { started, ...rest } = { ...base, ...evidence };
  expect(machineState(never === true || started === undefined ? rest : { ...rest, started })).toEqual(expected);
});
